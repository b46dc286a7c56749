package decode

import "github.com/dangol-dev/dangol/engine/event"

// maxName is the longest event name that is looked up, in bytes.
const maxName = 64

// hint is what an event's name says beyond its type.
type hint struct {
	channel   string
	withdrawn bool // of consent
}

type meaning struct {
	typ event.Type
	hint
}

// trackNames are Segment's names for events, beside those that are a native type
// written with spaces: its ecommerce, email, push and mobile specs. What is only
// a visit counts as page_viewed; those without a type are no act of the customer's
// and are refused even where unknown names count as visits.
var trackNames = map[string]meaning{
	"product clicked":               {typ: event.ProductViewed},
	"product list viewed":           {typ: event.PageViewed},
	"product list filtered":         {typ: event.PageViewed},
	"promotion viewed":              {typ: event.PageViewed},
	"promotion clicked":             {typ: event.PageViewed},
	"checkout step viewed":          {typ: event.CheckoutStarted},
	"checkout step completed":       {typ: event.CheckoutStarted},
	"payment info entered":          {typ: event.CheckoutStarted},
	"application opened":            {typ: event.PageViewed},
	"deep link opened":              {typ: event.PageViewed},
	"order canceled":                {typ: event.OrderCancelled},
	"email sent":                    {event.MessageSent, hint{channel: "email"}},
	"email delivered":               {event.MessageSent, hint{channel: "email"}},
	"email opened":                  {event.MessageOpened, hint{channel: "email"}},
	"email link clicked":            {event.MessageClicked, hint{channel: "email"}},
	"email clicked":                 {event.MessageClicked, hint{channel: "email"}},
	"unsubscribed":                  {event.ConsentUpdated, hint{channel: "email", withdrawn: true}},
	"email unsubscribed":            {event.ConsentUpdated, hint{channel: "email", withdrawn: true}},
	"email marked as spam":          {event.ConsentUpdated, hint{channel: "email", withdrawn: true}},
	"sms sent":                      {event.MessageSent, hint{channel: "sms"}},
	"sms delivered":                 {event.MessageSent, hint{channel: "sms"}},
	"sms link clicked":              {event.MessageClicked, hint{channel: "sms"}},
	"push notification sent":        {event.MessageSent, hint{channel: "push"}},
	"push notification received":    {event.MessageSent, hint{channel: "push"}},
	"push notification opened":      {event.MessageOpened, hint{channel: "push"}},
	"push notification tapped":      {event.MessageClicked, hint{channel: "push"}},
	"push notification clicked":     {event.MessageClicked, hint{channel: "push"}},
	"message delivered":             {typ: event.MessageSent},
	"message link clicked":          {typ: event.MessageClicked},
	"link clicked":                  {typ: event.MessageClicked},
	"signed up":                     {typ: event.Identified},
	"signed in":                     {typ: event.Identified},
	"application installed":         {typ: event.PageViewed},
	"application foregrounded":      {typ: event.PageViewed},
	"push notification bounced":     {},
	"email bounced":                 {},
	"application backgrounded":      {},
	"application crashed":           {},
	"application uninstalled":       {},
	"product added to wishlist":     {typ: event.ProductViewed},
	"product removed from wishlist": {typ: event.PageViewed},
	"cart shared":                   {typ: event.CartViewed},
	"coupon entered":                {typ: event.PageViewed},
	"coupon denied":                 {typ: event.PageViewed},
	"coupon removed":                {typ: event.PageViewed},
}

// tracks looks event names up. Most events bear the name of the one before, so
// that is compared first.
type tracks struct {
	names map[string]meaning
	visit bool // an unknown name is a visit

	hint hint // of the latest name

	nativeName string
	nativeType event.Type
	lastName   []byte
	last       meaning
}

func newTracks(c Segment) tracks {
	t := tracks{names: make(map[string]meaning), visit: c.Unknown == UnknownVisit, lastName: make([]byte, 0, maxName)}
	for name, typ := range typeByName {
		t.names[string(foldName(nil, name))] = meaning{typ: typ}
	}
	for name, m := range trackNames {
		t.names[name] = m
	}
	for name, typ := range c.Names {
		t.names[string(foldName(nil, name))] = meaning{typ: typeByName[typ]}
	}
	return t
}

// native sets the type of a native name; false where there is none.
func (t *tracks) native(name string, to *event.Type) bool {
	if name != t.nativeName {
		typ, ok := typeByName[name]
		if name == event.ItemUpdated.String() {
			typ, ok = event.ItemUpdated, true
		}
		if !ok {
			return false
		}
		t.nativeName, t.nativeType = typ.String(), typ
	}
	*to = t.nativeType
	return true
}

// track sets the type that a track call's name stands for, and the hint; false
// where there is none.
func (t *tracks) track(name string, to *event.Type) bool {
	if name != string(t.lastName) {
		m, ok := t.find(name)
		if !ok {
			return false
		}
		t.lastName, t.last = append(t.lastName[:0], name...), m
	}
	*to, t.hint = t.last.typ, t.last.hint
	return true
}

func (t *tracks) find(name string) (meaning, bool) {
	if len(name) <= maxName {
		var buf [maxName]byte
		if m, ok := t.names[string(foldName(buf[:0], name))]; ok {
			return m, m.typ != 0
		}
	}
	return meaning{typ: event.PageViewed}, t.visit
}

// foldName appends name in small letters, with spaces for underscores and
// without those at its ends: "Order_Completed " is "order completed".
func foldName(dst []byte, name string) []byte {
	for i := range len(name) {
		c := name[i]
		switch {
		case c-'A' <= 25:
			c |= 0x20
		case c == '_':
			c = ' '
		}
		if c == ' ' && len(dst) == 0 {
			continue
		}
		dst = append(dst, c)
	}
	for len(dst) > 0 && dst[len(dst)-1] == ' ' {
		dst = dst[:len(dst)-1]
	}
	return dst
}
