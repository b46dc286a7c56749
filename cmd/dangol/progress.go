package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// progress is a bar on a terminal; elsewhere, and when nil, it shows nothing.
// It belongs to one goroutine.
type progress struct {
	w     io.Writer
	stage string
	began time.Time // of the stage
	drawn time.Time
}

const (
	barWidth    = 30
	barInterval = 100 * time.Millisecond
)

// newProgress returns a bar, or nil where w is not a terminal.
func newProgress(w io.Writer) *progress {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	return &progress{w: w}
}

// set says how much of the stage is done, 0 to 1. It is cheap enough for every
// thousandth record, not for every one.
func (p *progress) set(stage string, share float64) {
	if p == nil {
		return
	}
	now := time.Now()
	if stage != p.stage {
		p.stage, p.began, p.drawn = stage, now, time.Time{}
	}
	if now.Sub(p.drawn) >= barInterval {
		p.drawn = now
		fmt.Fprint(p.w, "\r"+p.line(share, now.Sub(p.began))+"\x1b[K")
	}
}

// close takes the bar off the screen.
func (p *progress) close() {
	if p != nil {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}

// line is the bar when that share took that time.
func (p *progress) line(share float64, elapsed time.Duration) string {
	share = min(max(share, 0), 1)
	full := int(share * barWidth)
	s := fmt.Sprintf("[%s%s] %3.0f %% %s", strings.Repeat("=", full), strings.Repeat(" ", barWidth-full), 100*share, p.stage)
	if share > 0 && elapsed >= time.Second {
		left := time.Duration(float64(elapsed) * (1 - share) / share)
		s += fmt.Sprintf(", %s left", left.Round(time.Second))
	}
	return s
}
