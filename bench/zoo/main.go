// Command zoo compares churn forecasts on simulated shops.
//
// A model whose form is chosen on the data that it is judged by looks better
// than it is: whoever tries many variants on two histories and keeps the best has
// fitted them to these two. So forms are chosen here, on shops that nobody ships:
// thirteen laws by which customers come and leave, most of them not the law that
// dangol's rhythm is made of, and a few drawings of each. What helps on a public
// data set and on none of these shops was probably fitted to that data set.
//
// Each drawing is cut at T, and "dangol backtest" is asked who will order within
// the horizon after it. With --against another build of dangol answers the same
// question, and the two are compared shop by shop: the shops differ among each
// other far more than two builds do on one of them.
//
// What it cannot tell is how dangol does on your shop. The laws were made up,
// and with another choice of them the mean is another one.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/dangol-dev/dangol/bench"
)

func main() { bench.Command(run) }

// config is what the command line says.
type config struct {
	bin, against string
	laws         []law
	seeds        int
	days, buyers int // from the opening to T, and who first orders by then
	dir          string
}

func parse(args []string, errOut io.Writer) (*config, error) {
	var c config
	f := flag.NewFlagSet("zoo", flag.ContinueOnError)
	f.SetOutput(errOut)
	f.StringVar(&c.bin, "bin", "bin/dangol", "the dangol that is judged")
	f.StringVar(&c.against, "against", "", "another dangol, to compare with shop by shop")
	names := f.String("laws", "", "the laws, such as mbg,club (default: all)")
	f.IntVar(&c.seeds, "seeds", 3, "shops drawn of each law")
	f.IntVar(&c.days, "days", 548, "days from a shop's opening to T")
	f.IntVar(&c.buyers, "buyers", 3200, "customers that a shop wins until T, about")
	f.StringVar(&c.dir, "dir", "", "keep events and reports in this folder")
	f.Usage = func() {
		log.New(errOut, "", 0).Print("go run ./bench/zoo --bin bin/dangol [--against other/dangol]\n\n", describe(), "\nFlags:")
		f.PrintDefaults()
	}
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if f.NArg() > 0 {
		return nil, fmt.Errorf("%q: want flags only", f.Arg(0))
	}
	for _, n := range []struct {
		flag       string
		value, min int
	}{{"seeds", c.seeds, 1}, {"days", c.days, 1}, {"buyers", c.buyers, 1}} {
		if n.value < n.min {
			return nil, fmt.Errorf("--%s %d: want %d or more", n.flag, n.value, n.min)
		}
	}
	var err error
	c.laws, err = pick(*names)
	return &c, err
}

// pick returns the named laws in the order of the list; none named are all.
func pick(names string) ([]law, error) {
	all := laws()
	if names == "" {
		return all, nil
	}
	asked := strings.Split(names, ",")
	for _, name := range asked {
		if !slices.ContainsFunc(all, func(l law) bool { return l.name == name }) {
			return nil, fmt.Errorf("--laws: there is no law %q; there are\n  %s", name, strings.TrimSpace(describe()))
		}
	}
	return slices.DeleteFunc(all, func(l law) bool { return !slices.Contains(asked, l.name) }), nil
}

func run(ctx context.Context, args []string, out, errOut io.Writer) (err error) {
	c, err := parse(args, errOut)
	if err != nil {
		return err
	}
	if _, err := exec.LookPath(c.bin); err != nil {
		return fmt.Errorf("--bin: %w; \"make build\" makes bin/dangol", err)
	}
	if _, err := exec.LookPath(c.against); c.against != "" && err != nil {
		return fmt.Errorf("--against: %w", err)
	}
	dir := c.dir
	if dir == "" {
		if dir, err = os.MkdirTemp("", "dangol-zoo-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	} else if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	trials, err := judge(ctx, c, dir, log.New(errOut, "", 0))
	if err != nil {
		return err
	}
	_, err = io.WriteString(out, table(c, trials))
	return err
}
