package proxy

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Numbers of the requests whose answers name brokers, and of the one that says
// which versions there are.
const (
	Produce         int16 = 0
	fetch           int16 = 1
	metadata        int16 = 3
	findCoordinator int16 = 10
	apiVersions     int16 = 18
	TxnOffsetCommit int16 = 28
	EndTxn          int16 = 26
	describeCluster int16 = 60
)

// fetchMost is the newest version of Fetch whose answer names no brokers. It is
// the newest that the client learns of, for fetched records would be much to
// decode and encode again.
const fetchMost = 15

// rewrite puts the proxy's addresses in the place of the brokers'.
func (n *Net) rewrite(r request, body []byte) []byte {
	switch r.key {
	case Produce, metadata, findCoordinator, apiVersions, describeCluster:
	default:
		return body
	}
	resp := kmsg.ResponseForKey(r.key)
	if r.version > resp.MaxVersion() {
		return body
	}
	resp.SetVersion(r.version)
	head := 4
	if resp.IsFlexible() && r.key != apiVersions { // its header is never flexible
		if len(body) < 5 || body[4] != 0 {
			return body // tags, of which nobody has heard
		}
		head = 5
	}
	if err := resp.ReadFrom(body[head:]); err != nil {
		return body
	}
	if !n.redirect(resp) {
		return body
	}
	return resp.AppendTo(append([]byte(nil), body[:head]...))
}

// redirect changes an answer, and says whether it did.
func (n *Net) redirect(resp kmsg.Response) (changed bool) {
	to := func(host *string, port *int32) {
		h, p, ok := n.front(*host, *port)
		*host, *port, changed = h, p, changed || ok
	}
	switch r := resp.(type) {
	case *kmsg.MetadataResponse:
		for i := range r.Brokers {
			to(&r.Brokers[i].Host, &r.Brokers[i].Port)
		}
	case *kmsg.FindCoordinatorResponse:
		to(&r.Host, &r.Port)
		for i := range r.Coordinators {
			to(&r.Coordinators[i].Host, &r.Coordinators[i].Port)
		}
	case *kmsg.DescribeClusterResponse:
		for i := range r.Brokers {
			to(&r.Brokers[i].Host, &r.Brokers[i].Port)
		}
	case *kmsg.ProduceResponse:
		for i := range r.Brokers {
			to(&r.Brokers[i].Host, &r.Brokers[i].Port)
		}
	case *kmsg.ApiVersionsResponse:
		for i := range r.ApiKeys {
			if k := &r.ApiKeys[i]; k.ApiKey == fetch && k.MaxVersion > fetchMost {
				k.MaxVersion, changed = fetchMost, true
			}
		}
	}
	return changed
}
