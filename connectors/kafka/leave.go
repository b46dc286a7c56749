package kafka

import (
	"context"
	"errors"
	"log/slog"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// seat is the place of an instance in a group: the pipeline's, or the repartition
// stage's.
type seat struct {
	app, group string
	cfg        *Config
	aux        *kgo.Client // not the one that is in the group
	log        *slog.Logger
}

func (s *Session) seat() seat { return seat{s.app, s.app, s.cfg, s.aux, s.log} }

func (r *Repartition) seat() seat { return seat{r.app, r.group, r.cfg, r.cl, r.log} }

// instance is how the group calls it.
func (s seat) instance() string { return s.app + "-" + s.cfg.Instance }

// gone is the epoch of a static member that has left and is to come again.
const gone = -2

// succeed lets a group of the consumer protocol let go of an earlier life of this
// instance that was killed: the brokers would have this one wait until that has timed
// out. Where it lives still, it can do no harm: its producer is fenced by now.
func (s seat) succeed(ctx context.Context) {
	if s.cfg.GroupProtocol != consumerProtocol {
		return
	}
	all, err := kadm.NewClient(s.aux).DescribeConsumerGroups(ctx, s.group)
	if err != nil {
		return // then it waits
	}
	for _, m := range all[s.group].Members {
		if m.InstanceID != nil && *m.InstanceID == s.instance() && m.MemberEpoch != gone {
			s.log.Warn("the group still counted another life of this instance among its members; it was put out: where one lives, give each process of an app_id "+
				"its own input.instance", "group", s.group, "instance", s.cfg.Instance)
			s.leave(m.MemberID)
		}
	}
}

// rejoins says whether an error is of a membership that the client is renewing by
// itself, all partitions having been taken away.
func (s seat) rejoins(err error) bool {
	var lost *kgo.ErrGroupSession
	if !errors.As(err, &lost) {
		return false
	}
	switch {
	case errors.Is(err, kerr.UnreleasedInstanceID):
		s.log.Warn("the group still counts another life of this instance among its members; joining waits until it has left or timed out: "+
			"give each process of an app_id its own input.instance", "group", s.group, "instance", s.cfg.Instance)
	case errors.Is(err, kerr.UnknownMemberID), errors.Is(err, kerr.IllegalGeneration), errors.Is(err, kerr.RebalanceInProgress):
		s.log.Warn("the group has gone on without this instance; joining anew", "group", s.group, "instance", s.cfg.Instance, "error", err)
	default:
		return false
	}
	return true
}

// close closes the client that is in the group, and leaves the place free.
func (s seat) close(cl *kgo.Client) {
	member, epoch := cl.GroupMetadata()
	cl.CloseAllowingRebalance()
	if s.cfg.GroupProtocol == consumerProtocol && member != "" && epoch > 0 {
		s.leave(member)
	}
}

// leave lets the next life of this instance join a group of the consumer protocol
// at once. The client's own leaving lacks the instance, which brokers refuse; without
// it they wait for the session time-out.
func (s seat) leave(member string) {
	req := kmsg.NewPtrConsumerGroupHeartbeatRequest()
	req.Group, req.MemberID, req.MemberEpoch = s.group, member, gone
	instance := s.instance()
	req.InstanceID = &instance
	ctx, cancel := context.WithTimeout(context.Background(), rollWithin)
	defer cancel()
	if resp, err := req.RequestWith(ctx, s.aux); err == nil {
		err = kerr.ErrorForCode(resp.ErrorCode)
		if err == nil || errors.Is(err, kerr.UnknownMemberID) || errors.Is(err, kerr.GroupIDNotFound) || errors.Is(err, kerr.UnsupportedVersion) {
			return
		}
		s.log.Debug("the group was not told that this instance stops; its next life may have to wait", "group", s.group, "error", err)
	}
}
