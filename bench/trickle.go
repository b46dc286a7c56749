package bench

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Trickle goes on where Fill ended, with so many events a second, until ctx ends
// or producing fails.
func (l Load) Trickle(ctx context.Context, brokers []string, topic string, rate int) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.DefaultProduceTopic(topic))
	if err != nil {
		return err
	}
	defer cl.Close()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w := NewWorkload(l.Customers, l.Items, l.Seed+1)
	w.after(l.Customers + l.Events)
	tick := time.NewTicker(time.Second / time.Duration(rate))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
		r := w.Next()
		cl.Produce(ctx, &kgo.Record{Key: append([]byte(nil), r.Key...), Value: append([]byte(nil), r.Value...)}, func(_ *kgo.Record, err error) {
			if err != nil {
				cancel(err)
			}
		})
	}
}

// after lets the stream begin after n events of another.
func (w *Workload) after(n int) {
	w.n += n
	w.at += 50 * int64(n)
}
