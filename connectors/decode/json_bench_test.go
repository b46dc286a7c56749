package decode

import (
	"testing"

	"github.com/dangol-dev/dangol/engine/event"
)

const (
	nativeOrderLine = `{"id":"e-1","type":"order_completed","customer_id":"c-42","time":"2026-11-21T09:30:00Z",` +
		`"order_id":"o-9","items":[{"item_id":"A","category":"pizza","quantity":2,"price":"9.90"}],` +
		`"amount":"19.80","discount":"2.00","currency":"EUR","channel":"app","session_id":"s-1"}`
	nativeView   = `{"id":"e-2","type":"product_viewed","customer_id":"c-42","time":"2026-11-21T09:30:00.250Z","items":[{"item_id":"A","category":"pizza","price":9.9}],"session_id":"s-1"}`
	nativeUpdate = `{"id":"e-3","type":"item_updated","time":"2026-11-21T09:30:00Z","item_id":"A","category":"pizza","price":"9.90","available":false,"hidden":false,"requires_consent":"alcohol"}`
	nativeCosts  = `{"id":"e-1","type":"order_completed","customer_id":"c-42","time":"2026-11-21T09:30:00Z",` +
		`"order_id":"o-9","items":[{"item_id":"A","category":"pizza","quantity":2,"price":"9.90","cost":"4.10"}],` +
		`"amount":"19.80","discount":"2.00","currency":"EUR","channel":"app","session_id":"s-1"}`
	segmentView = `{"type":"track","event":"Product Viewed","userId":"019mr8mf4r","messageId":"022bb90c-bbac-11e4-8dfc-aa07a5b093db",` +
		`"timestamp":"2026-11-21T09:30:00.250Z","properties":{"product_id":"507f1f77bcf86cd799439011","category":"Games","name":"Monopoly","price":18.99}}`
)

// segmentFull is a view as Segment's browser library sends it, with its context.
const segmentFull = `{"anonymousId":"507f191e810c19729de860ea","channel":"browser","context":{"ip":"8.8.8.8","userAgent":"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_9_5) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/40.0.2214.115 Safari/537.36","page":{"path":"/academy/","referrer":"https://example.org","search":"","title":"Analytics Academy – é","url":"https://example.org/academy/"},"library":{"name":"analytics.js","version":"2.11.1"},"locale":"en-US","screen":{"width":1440,"height":900,"density":2}},"integrations":{"All":true,"Mixpanel":false},"messageId":"022bb90c-bbac-11e4-8dfc-aa07a5b093db","receivedAt":"2026-11-21T09:30:00.909Z","sentAt":"2026-11-21T09:30:00.889Z","timestamp":"2026-11-21T09:30:00.250Z","type":"track","userId":"97980cfea0067","originalTimestamp":"2026-11-21T09:30:00.150Z","event":"Product Viewed","properties":{"product_id":"507f1f77bcf86cd799439011","category":"Games","name":"Monopoly","brand":"Hasbro","price":18.99,"currency":"USD"}}`

func BenchmarkDecode(b *testing.B) {
	for _, c := range []struct{ name, record string }{
		{"native order", nativeOrderLine}, {"native order with costs", nativeCosts}, {"native view", nativeView},
		{"segment view", segmentView}, {"segment view with context", segmentFull},
	} {
		b.Run(c.name, func(b *testing.B) {
			d, err := NewJSON(DefaultConfig())
			if err != nil {
				b.Fatal(err)
			}
			var ev event.Event
			data := []byte(c.record)
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if err := d.Decode(data, &ev); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
