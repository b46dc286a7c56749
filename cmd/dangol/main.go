// Command dangol keeps customer scores that are true now: it reads customer
// events from Kafka and says downstream the moment a score changes.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	_ "time/tzdata" // time zones work where the system has none installed
)

func main() { os.Exit(execute(os.Args[1:])) }

// execute runs the command line and returns the process's exit code: 0 done,
// 1 failed, 130 stopped by the second signal before it had ended by itself.
func execute(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() {
		<-ctx.Done()
		stop() // from now on a signal kills: the way out of a stop that hangs
	}()
	root := newRootCommand()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errReported):
		return 1
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		fmt.Fprintln(os.Stderr, "stopped")
		return 130
	}
	fmt.Fprintln(os.Stderr, "error:", err)
	return 1
}

// errReported ends the process with code 1 after the command has said why.
var errReported = errors.New("already reported")
