package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const auditMost = 5 * time.Minute

// audit has "dangol verify" look at an instance that is stopped, and says what it
// found: it knows nothing of the oracle, and reads what the oracle does not, such
// as counts and population.
func (w *world) audit(ctx context.Context, n *instance) error {
	ctx, cancel := context.WithTimeout(ctx, auditMost)
	defer cancel()
	args := []string{"verify", "-c", n.config, "--changes", "--set", "input.brokers=[" + strings.Join(w.brokers.Addrs(), ",") + "]"}
	for _, s := range w.o.sets {
		args = append(args, "--set", s)
	}
	text, err := exec.CommandContext(ctx, w.o.bin, args...).CombinedOutput()
	path := filepath.Join(n.dir, "verify.txt")
	if writeErr := os.WriteFile(path, text, 0o644); writeErr != nil {
		return writeErr
	}
	if err != nil {
		return fmt.Errorf("dangol verify of %s (%w), see %s: %s", n.name, err, path, lastWords(path))
	}
	return nil
}
