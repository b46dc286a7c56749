package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// instance is a dangol of the application, which may be killed and started again.
type instance struct {
	*process
	c    *config
	name string // in the group
	args []string
	api  string
}

// newInstance starts one.
func newInstance(c *config, p *place, id string, sets ...string) (*instance, error) {
	i := &instance{c: c, name: app + "-" + id}
	i.args = []string{"run"}
	for _, set := range append([]string{
		"app_id=" + app, "input.brokers=[" + strings.Join(p.addrs, ",") + "]", "input.topic=" + topic, "input.instance=" + strconv.Quote(id),
		"clock=event", "http.listen=127.0.0.1:0", "state.dir=" + i.state(),
	}, sets...) {
		i.args = append(i.args, "--set", set)
	}
	return i, i.start()
}

func (i *instance) state() string { return filepath.Join(i.c.dir, i.name) }

// start starts the process, which must not run.
func (i *instance) start() (err error) {
	i.api = ""
	i.process, err = launch(i.state()+".log", i.c.bin, i.args...)
	return err
}

var serving = regexp.MustCompile(`api=http://([0-9.:]+)`)

// figures are its metrics: of a name, with the labels as they are written.
func (i *instance) figures(ctx context.Context) (map[string]float64, error) {
	if i.api == "" {
		addr, err := i.says(ctx, serving)
		if err != nil {
			return nil, err
		}
		i.api = "http://" + addr
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, i.api+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("metrics of %s: %w", i.name, err)
	}
	return read(string(text)), nil
}

// read takes Prometheus's text apart.
func read(text string) map[string]float64 {
	all := map[string]float64{}
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), " ")
		if v, err := strconv.ParseFloat(value, 64); ok && err == nil && name != "#" {
			all[name] = v
		}
	}
	return all
}
