package kafka

import (
	"bytes"
	"context"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// That records were deleted unread is said of those that the state lacks, where it is
// to go on without them. A group's offset that is behind says nothing of the state.
func TestDeletedUnread(t *testing.T) {
	for _, c := range []struct {
		name, deleted string
		stands, lost  int64 // where the state stands; how many it lacks
	}{
		{"the state has read them", skipDeleted, 3, 0},
		{"it has not", skipDeleted, 2, 1},
		{"it has not, and is not to go on", "refuse", 2, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, cfg, cl := fakeCluster(t)
			cfg.Deleted = c.deleted
			adm := kadm.NewClient(cl)
			feed(t, cl, 0, 5)
			var group, gone kadm.Offsets
			group.AddOffset("events", 0, 1, -1)
			gone.AddOffset("events", 0, 3, -1)
			require.NoError(t, adm.CommitAllOffsets(t.Context(), "app", group))
			_, err := adm.DeleteRecords(t.Context(), gone)
			require.NoError(t, err)

			var said bytes.Buffer
			skips := make(chan bool, 1)
			k := keeper(func(_ context.Context, a pipeline.Assignment, _ pipeline.ChangelogReader) (int64, error) {
				if a.Partition > 0 {
					return 0, nil
				}
				if c.lost > 0 && a.Skip != nil {
					a.Skip(c.stands, a.Kept-1)
				}
				skips <- a.Skip != nil
				return a.Kept, nil
			})
			s, err := Open(t.Context(), "app", cfg, k, slog.New(slog.NewTextHandler(&said, nil)))
			require.NoError(t, err)
			require.NoError(t, s.Begin())
			require.Equal(t, map[int32]int64{0: 5}, poll(t, s, 2))
			s.Close()
			require.Equal(t, c.deleted == skipDeleted, <-skips)
			if c.lost > 0 && c.deleted == skipDeleted {
				require.Contains(t, said.String(), "lost records before they were read; going on without them\" partition=0 from=2 to=2")
			} else {
				require.NotContains(t, said.String(), "lost records")
			}
		})
	}
}
