package ledger

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/engine/event"
)

// refWeeks lists the weeks of each sort of activity, and takes of each list
// those of the 64 weeks that end with the latest one of all.
func refWeeks(l *Ledger, events []event.Event, r *Rules) {
	var visited, carted, engaged []int32
	for _, e := range events {
		week := refWeek(r.Calendar.Day(e.Time))
		if l.Erased != 0 && week <= refWeek(r.Calendar.Day(l.Erased)) {
			continue
		}
		switch e.Type {
		case event.OrderUpdated, event.OrderRefunded, event.OrderCancelled, event.MessageSent, event.ComplaintResolved, event.ErasureRequested:
			continue
		case event.ProductAdded, event.CartViewed, event.CheckoutStarted:
			carted = append(carted, week)
		case event.MessageOpened, event.MessageClicked:
			engaged = append(engaged, week)
		}
		visited = append(visited, week)
	}
	if len(visited) == 0 {
		return
	}
	l.Week = slices.Max(visited)
	bitmap := func(weeks []int32) (set uint64) {
		for _, week := range weeks {
			if ago := l.Week - week; ago < 64 {
				set |= 1 << ago
			}
		}
		return set
	}
	l.Visited, l.Carted, l.Engaged = bitmap(visited), bitmap(carted), bitmap(engaged)
}

// refWeek counts the Mondays since 1969-12-29, the first one.
func refWeek(day int32) (week int32) {
	for monday := int32(-3); monday+7 <= day; monday += 7 {
		week++
	}
	return week
}

func TestWeek(t *testing.T) {
	for day := int32(-10); day < 40_000; day++ {
		require.Equal(t, 1, Calendar{}.Weekday(Calendar{}.Start(Monday(Week(day)))), "a Monday")
		require.True(t, Monday(Week(day)) <= day && day < Monday(Week(day)+1))
	}
	require.Zero(t, Week(-3))
	require.Zero(t, Week(3))
	require.Equal(t, int32(-1), Week(-4))
	require.Equal(t, int32(1), Week(4))
	require.Equal(t, refWeek(20_454), Week(20_454))
}
