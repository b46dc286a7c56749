package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Member is an instance of the application, as its group knows it.
type Member struct {
	Instance   string  // input.instance
	Address    string  // host:port of its API, empty where it said none
	Partitions []int32 // that it owns, ascending
	Standby    []int32 // that it follows, or is to follow, ascending
}

// Members knows which instance of an application has which partition, by the word
// of the group's coordinator: asked when somebody wants to know, and not more often
// than once a second. While the group rebalances, what was so before it holds.
type Members struct {
	adm      *kadm.Client
	close    func()
	app      string
	topic    string
	protocol string
	standbys int

	asking sync.Mutex // one asks at a time
	mu     sync.Mutex
	now    roll
	asked  time.Time // when now was true, or was said to be unknown
}

// roll is who is in the group.
type roll struct {
	members  []Member
	owner    map[int32]int // index into members
	standbys map[int32][]int
}

const (
	rollHolds  = time.Second     // so long what is known is not asked again
	rollWithin = 2 * time.Second // for the coordinator to answer
)

// OpenMembers connects to the group of an application. It does not join it.
func OpenMembers(app string, cfg *Config, more ...kgo.Opt) (*Members, error) {
	opts, err := cfg.Options()
	if err != nil {
		return nil, err
	}
	cl, err := kgo.NewClient(append(opts, more...)...)
	if err != nil {
		return nil, fmt.Errorf("kafka client: %w", err)
	}
	m := newMembers(kadm.NewClient(cl), app, cfg)
	m.close = cl.Close
	return m, nil
}

func newMembers(adm *kadm.Client, app string, cfg *Config) *Members {
	return &Members{adm: adm, close: func() {}, app: app, topic: cfg.Topic, protocol: cfg.GroupProtocol, standbys: cfg.Standbys}
}

// Close ends the connection.
func (m *Members) Close() { m.close() }

// Owner is who has a partition, and the address of its API, empty where it said
// none. It is not ok where nobody is known to have it.
func (m *Members) Owner(partition int32) (instance, address string, ok bool) {
	now := m.current()
	i, ok := now.owner[partition]
	if !ok {
		return "", "", false
	}
	return now.members[i].Instance, now.members[i].Address, true
}

// Standby is who gets the partition next, and follows it where standbys are
// configured.
func (m *Members) Standby(partition int32) (instance, address string, ok bool) {
	now := m.current()
	ids := now.standbys[partition]
	if len(ids) == 0 {
		return "", "", false
	}
	return now.members[ids[0]].Instance, now.members[ids[0]].Address, true
}

// All lists the group's members by instance.
func (m *Members) All() []Member { return slices.Clone(m.current().members) }

// current is what is known, asked anew if that is old.
func (m *Members) current() roll {
	m.mu.Lock()
	now, fresh := m.now, time.Since(m.asked) < rollHolds
	m.mu.Unlock()
	if fresh {
		return now
	}
	ctx, cancel := context.WithTimeout(context.Background(), rollWithin)
	defer cancel()
	now, _ = m.refresh(ctx, rollHolds)
	return now
}

// refresh asks the coordinator, unless somebody else has within the time given, and
// returns what is known then. After an error what was known holds.
func (m *Members) refresh(ctx context.Context, within time.Duration) (roll, error) {
	m.asking.Lock()
	defer m.asking.Unlock()
	m.mu.Lock()
	now, asked := m.now, m.asked
	m.mu.Unlock()
	if time.Since(asked) < within {
		return now, nil
	}
	next, stable, err := m.ask(ctx)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked = time.Now()
	if err == nil && stable {
		m.now = next
	}
	return m.now, err
}

// ask describes the group. It is stable where its members know what they have.
func (m *Members) ask(ctx context.Context) (now roll, stable bool, err error) {
	describe := []func(context.Context) (census, error){m.classic, m.consumer}
	if m.protocol == consumerProtocol {
		slices.Reverse(describe)
	}
	// A group that comes from the other protocol stays what it is until it is empty.
	for _, d := range describe {
		c, err := d(ctx)
		if err != nil {
			return roll{}, false, fmt.Errorf("members of group %q: %w", m.app, err)
		}
		if len(c.names) > 0 {
			return m.roll(c), c.stable, nil
		}
	}
	return m.roll(census{}), true, nil
}

// census is a group as it was described.
type census struct {
	names     []string
	addresses map[string]string
	owned     map[int32]string
	stable    bool
}

func (c *census) add(instance *string, member, address string) string {
	name := memberName(instance, member)
	c.names = append(c.names, name)
	c.addresses[name] = address
	return name
}

// classic describes a group whose members spread the partitions.
func (m *Members) classic(ctx context.Context) (census, error) {
	c := census{addresses: map[string]string{}, owned: map[int32]string{}}
	all, err := m.adm.DescribeGroups(ctx, m.app)
	g := all[m.app]
	if err = errors.Join(err, g.Err); err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		return c, err
	}
	c.stable = g.State == "Stable"
	for _, dm := range g.Members {
		address := fromClientID(dm.ClientID)
		if meta, ok := dm.Join.AsConsumer(); ok && c.stable && g.Protocol == balancerName {
			address = string(meta.UserData)
		}
		name := c.add(dm.InstanceID, dm.MemberID, address)
		assigned, ok := dm.Assigned.AsConsumer()
		if !ok {
			continue
		}
		for _, t := range assigned.Topics {
			if t.Topic == m.topic {
				for _, p := range t.Partitions {
					c.owned[p] = name
				}
			}
		}
	}
	return c, nil
}

// consumer describes a group whose partitions the brokers spread.
func (m *Members) consumer(ctx context.Context) (census, error) {
	c := census{addresses: map[string]string{}, owned: map[int32]string{}, stable: true}
	all, err := m.adm.DescribeConsumerGroups(ctx, m.app)
	g := all[m.app]
	if err = errors.Join(err, g.Err); err != nil && !errors.Is(err, kerr.GroupIDNotFound) && !errors.Is(err, kerr.UnsupportedVersion) {
		return c, err
	}
	for _, dm := range g.Members {
		name := c.add(dm.InstanceID, dm.MemberID, fromClientID(dm.ClientID))
		for topic, partitions := range dm.Assignment {
			if topic != m.topic && topic != "" { // some brokers leave the name out; the group reads one topic
				continue
			}
			for p := range partitions {
				c.owned[p] = name
			}
		}
	}
	return c, nil
}

// roll makes a roll of what was described.
func (m *Members) roll(c census) roll {
	slices.Sort(c.names)
	r := roll{owner: map[int32]int{}, standbys: map[int32][]int{}}
	index := map[string]int{}
	for i, name := range c.names {
		index[name] = i
		r.members = append(r.members, Member{Instance: strings.TrimPrefix(name, m.app+"-"), Address: c.addresses[name]})
	}
	n := int32(0)
	for p, name := range c.owned {
		n = max(n, p+1)
		r.owner[p] = index[name]
	}
	next := heirs(c.names, n, c.owned, max(m.standbys, 1))
	for p := range n {
		if i, ok := r.owner[p]; ok {
			r.members[i].Partitions = append(r.members[i].Partitions, p)
		}
		for k, name := range next[p] {
			i := index[name]
			r.standbys[p] = append(r.standbys[p], i)
			if k < m.standbys {
				r.members[i].Standby = append(r.members[i].Standby, p)
			}
		}
	}
	return r
}

const clientIDPrefix = "dangol"

// clientID is the client id of an instance that is reached at an address.
func clientID(address string) string {
	if address == "" {
		return clientIDPrefix
	}
	return clientIDPrefix + "@" + address
}

// fromClientID is the address in a client id.
func fromClientID(id string) string {
	address, ok := strings.CutPrefix(id, clientIDPrefix+"@")
	if !ok {
		return ""
	}
	return address
}
