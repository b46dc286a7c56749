//go:build realkafka && linux

package brokers

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// A broker dies with the process that started it, even one that is killed.
func TestBrokersDieWithTheirParent(t *testing.T) {
	const parent = "DANGOL_TEST_PARENT"
	if os.Getenv(parent) != "" {
		c, err := Start(t.Context(), Config{Nodes: 1})
		require.NoError(t, err)
		fmt.Println("\n" + c.Addr(0)) //nolint:forbidigo // what the other process reads
		select {}
	}
	cmd := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.timeout", "5m")
	cmd.Env = append(os.Environ(), parent+"=yes", "TMPDIR="+t.TempDir())
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	dial := func(addr string) bool {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
		}
		return err == nil
	}
	addr := ""
	for in := bufio.NewScanner(out); addr == "" && in.Scan(); {
		if _, _, err := net.SplitHostPort(in.Text()); err == nil {
			addr = in.Text()
		}
	}
	require.NotEmpty(t, addr, "the other process started no broker")
	require.True(t, dial(addr))
	require.NoError(t, cmd.Process.Kill())
	require.Eventually(t, func() bool { return !dial(addr) }, patience, pollEvery)
}
