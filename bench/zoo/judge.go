package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// The forecasts of a report that the table shows.
const (
	ours    = "dangol"
	mbgnbd  = "MBG/NBD"
	recency = "recency only"
)

// measure is how good one forecast is; what is not known is NaN.
type measure struct{ auc, logLoss float64 }

// verdict is what a backtest says of one shop.
type verdict struct {
	learned bool // or the rhythm answered alone
	by      map[string]measure
}

// trial is one shop, and what came out.
type trial struct {
	law     string
	seed    int
	verdict verdict
	against *verdict // nil: nobody was asked
}

func (t *trial) shop() string { return t.law + "-" + strconv.Itoa(t.seed) }

// judge draws each shop into dir and backtests it, one after the other: each
// backtest takes the whole machine.
func judge(ctx context.Context, c *config, dir string, progress *log.Logger) ([]trial, error) {
	var trials []trial
	for _, l := range c.laws {
		for seed := range c.seeds {
			t := trial{law: l.name, seed: seed}
			s := newShop(l.name, seed, c.days, c.buyers)
			file := filepath.Join(dir, t.shop()+".jsonl")
			if err := writeShop(file, l, s); err != nil {
				return nil, err
			}
			var err error
			if t.verdict, err = backtest(ctx, c.bin, file, s.opened.AddDate(0, 0, s.cut), filepath.Join(dir, t.shop()+".json")); err != nil {
				return nil, err
			}
			if c.against != "" {
				v, err := backtest(ctx, c.against, file, s.opened.AddDate(0, 0, s.cut), filepath.Join(dir, t.shop()+".against.json"))
				if err != nil {
					return nil, err
				}
				t.against = &v
			}
			trials = append(trials, t)
			progress.Printf("%d of %d: %s", len(trials), len(c.laws)*c.seeds, t.shop())
		}
	}
	return trials, nil
}

func writeShop(path string, l law, s *shop) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(write(f, simulate(l, s)), f.Close())
}

// backtest has bin judge the events of a file, and writes its report to another.
func backtest(ctx context.Context, bin, file string, asOf time.Time, report string) (verdict, error) {
	cmd := exec.CommandContext(ctx, bin, "backtest", "--input", file, "--as-of", asOf.Format(time.DateOnly),
		"--horizon", strconv.Itoa(horizon)+"d", "--json", report)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		return verdict{}, fmt.Errorf("%s: %w\n%s", cmd, err, bytes.TrimSpace(stderr.Bytes()))
	}
	b, err := os.ReadFile(report)
	if err != nil {
		return verdict{}, err
	}
	v, err := read(b)
	if err != nil {
		return verdict{}, fmt.Errorf("%s: %w", report, err)
	}
	return v, nil
}

// read takes out of a report what is compared.
func read(report []byte) (verdict, error) {
	var r struct {
		Models struct {
			Churn struct {
				Answered string `json:"answered"`
			} `json:"churn"`
		} `json:"models"`
		Churn []struct {
			Name    string   `json:"name"`
			AUC     *float64 `json:"auc"`
			LogLoss *float64 `json:"log_loss"`
		} `json:"churn"`
	}
	if err := json.Unmarshal(report, &r); err != nil {
		return verdict{}, err
	}
	v := verdict{learned: r.Models.Churn.Answered == "learned", by: map[string]measure{}}
	for _, f := range r.Churn {
		v.by[f.Name] = measure{known(f.AUC), known(f.LogLoss)}
	}
	for _, name := range []string{ours, mbgnbd, recency} {
		if _, ok := v.by[name]; !ok {
			return verdict{}, fmt.Errorf("no churn forecast named %q", name)
		}
	}
	return v, nil
}

func known(v *float64) float64 {
	if v == nil {
		return math.NaN()
	}
	return *v
}
