package kafka

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"
)

// Whatever was fetched is handed out once, each partition in its order, and none
// takes the room of those that wait beside it.
func TestWaitingIsHandedOutInShares(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lens := rapid.SliceOfN(rapid.IntRange(0, 40), 1, 8).Draw(t, "records by partition")
		w := waiting{epochs: map[int32]int32{}}
		var fetch kgo.FetchTopic
		left := map[int32]int{}
		for p, n := range lens {
			fp := kgo.FetchPartition{Partition: int32(p), LastStableOffset: int64(n)}
			for i := range n {
				fp.Records = append(fp.Records, &kgo.Record{Partition: int32(p), Offset: int64(i), LeaderEpoch: int32(i / 10)})
			}
			fetch.Partitions = append(fetch.Partitions, fp)
			if n > 0 {
				left[int32(p)] = n
			}
		}
		w.fill(kgo.Fetches{{Topics: []kgo.FetchTopic{fetch}}}, 7)
		next := map[int32]int64{}
		for len(left) > 0 {
			most := rapid.IntRange(1, 50).Draw(t, "most")
			share := rapid.IntRange(1, most).Draw(t, "share")
			could := 0
			for _, n := range left {
				could += min(n, share)
			}
			batches, polled := w.take(most, share, nil)
			require.Len(t, polled, min(most, could))
			for _, b := range batches {
				require.Equal(t, int64(lens[b.Partition]), b.End)
				require.EqualValues(t, 7, b.EndAt)
				require.EqualValues(t, b.Records[len(b.Records)-1].Offset/10, w.epochs[b.Partition])
				require.LessOrEqual(t, len(b.Records), share)
				for _, r := range b.Records {
					require.Equal(t, next[b.Partition], r.Offset)
					next[b.Partition]++
				}
				if left[b.Partition] -= len(b.Records); left[b.Partition] == 0 {
					delete(left, b.Partition)
				}
			}
		}
		batches, _ := w.take(1, 1, nil)
		require.Empty(t, batches)
	})
}

func TestWaitingForgetsOthersPartitions(t *testing.T) {
	w := waiting{epochs: map[int32]int32{}}
	w.fill(kgo.Fetches{{Topics: []kgo.FetchTopic{{Partitions: []kgo.FetchPartition{
		{Partition: 0, Records: []*kgo.Record{{Offset: 3}}}, {Partition: 1, Records: []*kgo.Record{{Offset: 5}}},
	}}}}}, 7)
	w.keep(func(p int32) bool { return p == 1 })
	batches, _ := w.take(10, 5, nil)
	require.Len(t, batches, 1)
	require.Equal(t, int32(1), batches[0].Partition)
}
