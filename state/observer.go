package state

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/cockroachdb/pebble/v2"
)

// Observer hears what the store cannot return as an error. Every func may be
// nil. They are called from the store's own goroutines, some with its locks
// held: they must not block and must not call the store.
type Observer struct {
	// BackgroundError: work in the background failed: a write to disk, or the
	// reading for one, an ErrDamaged then. It is retried without end; a failure
	// that repeats is told once until a flush succeeds.
	BackgroundError func(error)
	// Recovered: after a BackgroundError, a flush succeeded.
	Recovered func()
	// WriteStall begins when commits wait for the disk, and ends.
	WriteStall func(begin bool, reason string)
	// DiskSlow: one operation on a file took this long already.
	DiskSlow func(path, operation string, took time.Duration)
	// Corruption: a file on disk is not what was written. It is told once; from
	// then on commits are refused with ErrDamaged, and so is the next Open. The
	// process should end: its successor sets the directory aside.
	Corruption func(error)
	// Message is what Pebble says besides, at the level of an error.
	Message func(text string)
	// Fatal is told why the process is about to end: the store's own record
	// of its files cannot be written. Where it is nil, standard error is.
	Fatal func(text string)
}

// health is what the event listener learns and the store asks.
type health struct {
	obs    Observer
	exit   func(code int) // ends the process
	damage *damage        // hears of files that are not what was written

	stalls atomic.Uint64
	errors atomic.Uint64

	mu        sync.Mutex
	lastFlush error         // of the flush that ended last; may be a harmless one
	failing   error         // set while flushes fail
	told      string        // the failure that the observer has heard of
	failed    chan struct{} // closed when failing is set
	log       error         // first failure of the write-ahead log
}

func newHealth(obs Observer) *health {
	return &health{obs: obs, exit: os.Exit, failed: make(chan struct{})}
}

// fault is the reason why flushes fail now, nil while they succeed.
func (h *health) fault() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.failing
}

// failure is closed once flushes fail.
func (h *health) failure() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.failed
}

// flushEnd is called before backgroundError when a flush fails. It also gets a
// private error for a flush that had nothing to write, which is no failure and
// is not followed by backgroundError.
func (h *health) flushEnd(info pebble.FlushInfo) {
	h.mu.Lock()
	h.lastFlush = info.Err
	recovered := info.Err == nil && h.told != ""
	if recovered {
		h.told = ""
	}
	if info.Err == nil && h.failing != nil {
		h.failing, h.failed = nil, make(chan struct{})
	}
	h.mu.Unlock()
	if recovered && h.obs.Recovered != nil {
		h.obs.Recovered()
	}
}

func (h *health) backgroundError(err error) {
	h.errors.Add(1)
	h.mu.Lock()
	if h.lastFlush != nil && errors.Is(err, h.lastFlush) && h.failing == nil {
		h.failing = err
		close(h.failed)
	}
	what := strings.Map(func(r rune) rune { // each retry has another file number
		if unicode.IsDigit(r) {
			return -1
		}
		return r
	}, err.Error())
	tell := h.told != what
	h.told = what
	h.mu.Unlock()
	if tell && h.obs.BackgroundError != nil {
		h.obs.BackgroundError(err)
	}
}

// listener forwards the events that an operator can act on, and drops the rest.
func (h *health) listener() *pebble.EventListener {
	return &pebble.EventListener{
		BackgroundError: func(err error) {
			h.backgroundError(h.damage.judge(err))
		},
		FlushEnd:   h.flushEnd,
		WALCreated: func(info pebble.WALCreateInfo) { _ = h.logFault(info.Err) },
		WriteStallBegin: func(info pebble.WriteStallBeginInfo) {
			h.stalls.Add(1)
			if h.obs.WriteStall != nil {
				h.obs.WriteStall(true, info.Reason)
			}
		},
		WriteStallEnd: func() {
			if h.obs.WriteStall != nil {
				h.obs.WriteStall(false, "")
			}
		},
		DiskSlow: func(info pebble.DiskSlowInfo) {
			if h.obs.DiskSlow != nil {
				h.obs.DiskSlow(info.Path, info.OpType.String(), info.Duration)
			}
		},
		DataCorruption: func(info pebble.DataCorruptionInfo) {
			h.damage.note(fmt.Errorf("%s: %w", info.Path, info.Details))
		},
	}
}

// Infof drops Pebble's chatter.
func (h *health) Infof(string, ...any) {}

// Errorf forwards to the observer.
func (h *health) Errorf(format string, args ...any) {
	if h.obs.Message != nil {
		h.obs.Message(fmt.Sprintf(format, args...))
	}
}

// Fatalf does not return: Pebble calls it where it cannot go on without
// losing track of its files, or a batch that its log did not take. It ends the
// process at once, from whatever goroutine, with the reason as its last word: a panic
// would unlock what Pebble has unlocked already, and two goroutines that fail so at
// the same moment can wait for one another forever.
func (h *health) Fatalf(format string, args ...any) {
	text := "state: cannot write to its directory, stopping so that nothing is lost: " + fmt.Sprintf(format, args...)
	if h.obs.Fatal != nil {
		h.obs.Fatal(text)
	} else {
		fmt.Fprintln(os.Stderr, text)
	}
	h.exit(1)
}

// lastWord turns a panic of Pebble into Fatalf: where its log cannot be written
// it panics with the bare error. Deferred around what writes.
func (h *health) lastWord() {
	switch r := recover().(type) {
	case nil:
	case error:
		h.Fatalf("%v", r)
	default: // of Fatalf, or a broken invariant
		panic(r)
	}
}
