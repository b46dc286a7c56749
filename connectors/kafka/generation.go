package kafka

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// The topic of snapshots holds generations. Each writing of a snapshot is one, with
// a random name, so that two writers never touch each other's records:
//
//	part/<generation>/<index>   a part
//	manifest/<generation>       written when all parts are there: how many, their
//	                            checksum, and the offsets of which the snapshot is
//
// A generation counts once its manifest and every part are there and agree; whatever
// dies, others stay as they were. Of those that count the newest is the one that has
// read most of the log, not the one written last: a writer that was frozen may come
// late. The two newest are kept, and the log from the older one of them on.
const (
	partPrefix     = "part/"
	manifestPrefix = "manifest/"
)

// snapsTries is how often a leader that moves is asked again.
const snapsTries = 50

// manifestVersion is of the manifest's fields and of the parts' order.
const (
	manifestVersion = 1
	unknownVersion  = -1 // of one that this release does not read
)

// manifest is a record's value, as JSON.
type manifest struct {
	Version  int             `json:"version"`
	Log      string          `json:"log"` // the identity of the topic that At is of
	Parts    int             `json:"parts"`
	Bytes    int64           `json:"bytes"`
	Checksum string          `json:"checksum"` // see checksum
	At       map[int32]int64 `json:"at"`
}

// generation is what was read of one.
type generation struct {
	id          string
	manifest           // of the zero version if there is none
	written     int64  // offset of the manifest
	sums        []part // in the order of their indexes
	first, last int64  // offsets of the parts
	latest      time.Time
}

// part is what is remembered of one.
type part struct {
	sum uint64 // xxhash of its bytes; of a part that is not there, none
	is  bool
}

// checksum is of all parts' sums, in their order.
type checksum struct{ h xxhash.Digest }

func (c *checksum) add(sum uint64) {
	_, _ = c.h.WriteString(strconv.FormatUint(sum, 16) + "\n") // cannot fail
}

func (c *checksum) String() string { return fmt.Sprintf("%016x", c.h.Sum64()) }

// whole says whether the generation counts.
func (g *generation) whole() bool {
	if g.Version != manifestVersion || len(g.sums) != g.Parts {
		return false
	}
	c := checksum{h: *xxhash.New()}
	for _, p := range g.sums {
		if !p.is {
			return false
		}
		c.add(p.sum)
	}
	return c.String() == g.Checksum
}

// offsets are those of the snapshot, of n partitions.
func (g *generation) offsets(n int) map[int32]int64 {
	at := make(map[int32]int64, n)
	for p := range int32(n) {
		at[p] = g.At[p]
	}
	return at
}

// progress is how much of the log the snapshot has read.
func (g *generation) progress() (sum int64) {
	for _, at := range g.At {
		sum += at
	}
	return sum
}

// snapshots reads the topic of generations, and remembers what is in it.
type snapshots struct {
	f    *fetcher
	next int64 // where scan goes on
	by   map[string]*generation
}

// complete are the generations that count, the newest first.
func (s *snapshots) complete() []*generation {
	var all []*generation
	for _, g := range s.by {
		if g.whole() {
			all = append(all, g)
		}
	}
	slices.SortFunc(all, func(a, b *generation) int {
		return cmp.Or(cmp.Compare(b.progress(), a.progress()), cmp.Compare(b.written, a.written))
	})
	return all
}

// scan reads what came since the one before, up to what is now the end.
func (s *snapshots) scan(ctx context.Context) error {
	listed, err := kadm.NewClient(s.f.cl).ListStartOffsets(ctx, s.f.topic)
	start, ok := listed.Lookup(s.f.topic, 0)
	if err == nil && !ok {
		err = errors.New("no answer")
	}
	if err = cmp.Or(err, start.Err); err != nil {
		return fmt.Errorf("start of %s: %w", s.f.topic, err)
	}
	if s.next, err = s.each(ctx, max(s.next, start.Offset), -1, s.note); err != nil {
		return err
	}
	for _, g := range s.by {
		if g.Version == unknownVersion {
			return fmt.Errorf("%w: offset %d of %s holds a manifest of an unknown form: a newer version of dangol wrote it, which must be run again, "+
				"or something else did, whose key %s must be given a tombstone", pipeline.ErrFatal, g.written, s.f.topic, manifestPrefix+g.id)
		}
	}
	return nil
}

// note remembers a record without its bytes.
func (s *snapshots) note(r *kgo.Record) error {
	key := string(r.Key)
	if id, ok := strings.CutPrefix(key, manifestPrefix); ok {
		g := s.of(id)
		g.manifest, g.written, g.latest = manifest{}, r.Offset, r.Timestamp
		if r.Value == nil {
			s.forget(g)
			return nil
		}
		if err := json.Unmarshal(r.Value, &g.manifest); err != nil || g.Version != manifestVersion {
			g.manifest = manifest{Version: unknownVersion}
		}
		return nil
	}
	id, index, ok := partKey(key)
	if !ok {
		return nil // nothing of ours; it does no harm
	}
	g := s.of(id)
	for len(g.sums) <= index {
		g.sums = append(g.sums, part{})
	}
	g.sums[index] = part{sum: xxhash.Sum64(r.Value), is: r.Value != nil}
	g.latest = r.Timestamp
	if r.Value == nil {
		s.forget(g)
		return nil
	}
	if g.first < 0 {
		g.first = r.Offset
	}
	g.last = r.Offset
	return nil
}

// forget drops a generation of which nothing is left.
func (s *snapshots) forget(g *generation) {
	if g.Version == 0 && !slices.ContainsFunc(g.sums, func(p part) bool { return p.is }) {
		delete(s.by, g.id)
	}
}

func (s *snapshots) of(id string) *generation {
	g, ok := s.by[id]
	if !ok {
		g = &generation{id: id, first: -1}
		s.by[id] = g
	}
	return g
}

// mostParts bounds an index, so that no key can ask for all memory.
const mostParts = 1 << 20

func partName(id string, index int) []byte {
	return fmt.Appendf(nil, "%s%s/%06d", partPrefix, id, index)
}

func partKey(key string) (id string, index int, ok bool) {
	rest, ok := strings.CutPrefix(key, partPrefix)
	id, digits, is := strings.Cut(rest, "/")
	index, err := strconv.Atoi(digits)
	return id, index, ok && is && err == nil && index >= 0 && index < mostParts
}

// read calls fn with the parts of a generation that counted when it was scanned.
func (s *snapshots) read(ctx context.Context, g *generation, fn func(part []byte) error) error {
	if g.Parts == 0 {
		return nil
	}
	n := 0
	_, err := s.each(ctx, g.first, g.last+1, func(r *kgo.Record) error {
		id, index, ok := partKey(string(r.Key))
		if !ok || id != g.id || index != n || n == g.Parts || xxhash.Sum64(r.Value) != g.sums[n].sum {
			return nil
		}
		n++
		return fn(r.Value)
	})
	if err == nil && n != g.Parts {
		err = errors.New("it was taken away meanwhile")
	}
	if err != nil {
		return fmt.Errorf("snapshot %s in %s: %w", g.id, s.f.topic, err)
	}
	return nil
}

// each calls fn with the topic's records from an offset on, up to another, or to
// what is the end when it begins if that is -1, and returns where it stopped.
func (s *snapshots) each(ctx context.Context, from, end int64, fn func(*kgo.Record) error) (int64, error) {
	for {
		f, err := s.fetch(ctx, from)
		if err != nil {
			return from, err
		}
		if end < 0 {
			end = f.end
		}
		for _, r := range f.records {
			if r.Offset >= end {
				return from, nil
			}
			if err := fn(r); err != nil {
				return from, err
			}
			from = r.Offset + 1
		}
		// Where nothing more comes a compaction has taken the rest away.
		if f.next >= end || f.next <= from && len(f.records) == 0 && f.end >= end {
			return max(from, f.next), nil
		}
		from = max(from, f.next)
	}
}

// fetch asks the leader, again for a while if there is none or it moves.
func (s *snapshots) fetch(ctx context.Context, from int64) (fetched, error) {
	for tries := 0; ; tries++ {
		leaders, err := s.f.leaders(ctx)
		for leader := range leaders { // the one of the one partition
			var got []fetched
			got, err = s.f.fetch(ctx, leader, map[int32]int64{0: from}, 0)
			if err == nil && len(got) == 1 {
				return got[0], nil
			}
		}
		if err != nil && !kerr.IsRetriable(err) || tries == snapsTries {
			return fetched{}, fmt.Errorf("topic %s from offset %d: %w", s.f.topic, from, cmp.Or(err, errors.New("no answer")))
		}
		select {
		case <-ctx.Done():
			return fetched{}, ctx.Err()
		case <-time.After(sharedRetry):
		}
	}
}
