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
	what  string
	total int64
	done  int64
	began time.Time
	drawn time.Time
}

const (
	barWidth    = 30
	barInterval = 100 * time.Millisecond
)

// newProgress returns a bar of total units, of which what is the name, or nil
// where w is not a terminal. A total of 0 is not known.
func newProgress(w io.Writer, what string, total int64) *progress {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	return &progress{w: w, what: what, total: total, began: time.Now()}
}

// set says how many units are done. It is cheap enough for every thousandth
// record, not for every one.
func (p *progress) set(done int64) {
	if p == nil {
		return
	}
	p.done = done
	if now := time.Now(); now.Sub(p.drawn) >= barInterval {
		p.drawn = now
		fmt.Fprint(p.w, "\r"+p.line(now.Sub(p.began))+"\x1b[K")
	}
}

// close takes the bar off the screen.
func (p *progress) close() {
	if p != nil {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}

// line is the bar after that time.
func (p *progress) line(elapsed time.Duration) string {
	rate := float64(p.done) / max(elapsed.Seconds(), .001)
	if p.total <= 0 {
		return fmt.Sprintf("%d %s, %.0f/s", p.done, p.what, rate)
	}
	share := min(float64(p.done)/float64(p.total), 1)
	full := int(share * barWidth)
	left := ""
	if rate > 0 {
		s := time.Duration(float64(p.total-p.done) / rate * float64(time.Second))
		left = fmt.Sprintf(", %s left", max(s, 0).Round(time.Second))
	}
	return fmt.Sprintf("[%s%s] %3.0f %% of %d %s, %.0f/s%s", strings.Repeat("=", full), strings.Repeat(" ", barWidth-full),
		100*share, p.total, p.what, rate, left)
}
