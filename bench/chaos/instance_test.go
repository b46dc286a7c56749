package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

func TestLastWords(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	for log, want := range map[string]string{
		"":                                   "",
		"---- a\nx\ny\n":                     "y",
		"---- a\nerror: no room\nand more\n": "error: no room",
		"---- a\nerror: no room\n---- b\npanic: at last": "panic: at last",
	} {
		require.NoError(t, os.WriteFile(path, []byte(log), 0o644))
		require.Equal(t, want, lastWords(path))
	}
	require.Contains(t, lastWords(path+"-none"), "no such file")
}

// The instances are configured as the oracle is.
func TestConfigurationIsTheOracles(t *testing.T) {
	o, c := &options{}, oracleConfig()
	require.NoError(t, c.Validate())
	path := filepath.Join(t.TempDir(), "i", "dangol.yaml")
	require.NoError(t, o.configure(path, "i7", "/state", []string{"127.0.0.1:1"}))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var got struct {
		Clock  string
		Offers *int
		Learn  struct{ Sample *int }
		RFM    struct {
			Cuts  string
			Fixed struct{ Recency, Frequency, Monetary []float64 }
		}
		Input struct{ Instance, Topic string }
	}
	require.NoError(t, yaml.Unmarshal(text, &got))
	require.Equal(t, "event", got.Clock)
	require.Zero(t, *got.Offers)
	require.Zero(t, *got.Learn.Sample)
	require.Equal(t, c.Score.RFM.Fixed.Monetary, got.RFM.Fixed.Monetary)
	require.Equal(t, c.Score.RFM.Fixed.Frequency, got.RFM.Fixed.Frequency)
	require.Equal(t, c.Score.RFM.Fixed.Recency, got.RFM.Fixed.Recency)
	require.Equal(t, "fixed", got.RFM.Cuts)
	require.Equal(t, "i7", got.Input.Instance)
	require.Equal(t, c.Topic, got.Input.Topic)
}
