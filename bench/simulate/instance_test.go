//go:build synctests

package simulate

import (
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// instance is one of the application's, over all its lives.
type instance struct {
	w    *world
	name string
	over chan struct{} // closed to end it

	disk *vfs.MemFS   // what the next life finds
	old  []*vfs.MemFS // as it was left before

	mu   sync.Mutex
	life *life // nil while it is down
	last *life
}

func newInstance(w *world, name string) *instance {
	return &instance{w: w, name: name, disk: vfs.NewCrashableMem(), over: make(chan struct{})}
}

func (i *instance) current() *life {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.life
}

func (i *instance) set(l *life) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.life = l; l != nil {
		i.last = l
	}
}

// run lives, life after life.
func (i *instance) run() {
	w := i.w
	for {
		l := newLife(i)
		i.set(l)
		select {
		case <-l.killed:
			i.set(nil)
			w.corpses.Go(func() { <-l.done; l.close() })
			i.findDisk(l.left)
		case <-l.ended: // gracefully
			<-l.done
			i.set(nil)
			l.close()
		case <-l.done:
			if l.err != nil {
				w.mu.Lock()
				w.fatal = append(w.fatal, l.err.Error())
				w.mu.Unlock()
			}
			<-i.over
			return
		case <-i.over:
			l.cancel()
			<-l.done
			return
		}
		if !i.rest() {
			return
		}
	}
}

// rest is the time between two lives; it says whether there is to be another.
func (i *instance) rest() bool {
	w := i.w
	down := time.Duration(w.intN(1500)) * time.Millisecond
	if w.fault("down for long") {
		down = w.long()
	}
	w.mu.Lock()
	down = max(down, time.Until(w.downUntil))
	w.mu.Unlock()
	select {
	case <-i.over:
		return false
	case <-time.After(down):
		return true
	}
}

// findDisk decides what the next life finds on its disk.
func (i *instance) findDisk(left *vfs.MemFS) {
	i.disk = left
	switch {
	case i.w.fault("state deleted"):
		i.disk = vfs.NewCrashableMem()
	case len(i.old) > 0 && i.w.fault("state of before"):
		i.disk = i.old[i.w.intN(len(i.old))].CrashClone(vfs.CrashCloneCfg{})
	}
	if len(i.old) < 3 {
		i.old = append(i.old, left.CrashClone(vfs.CrashCloneCfg{}))
	}
}
