package kafka

import (
	"context"
	"errors"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// succeed lets a group of the consumer protocol let go of an earlier life of this
// instance that was killed: the brokers would have this one wait until that has timed
// out. Where it lives still, it can do no harm: its producer is fenced by now.
func (s *Session) succeed(ctx context.Context) {
	if s.cfg.GroupProtocol != consumerProtocol {
		return
	}
	all, err := s.adm.DescribeConsumerGroups(ctx, s.app)
	if err != nil {
		return // then it waits
	}
	for _, m := range all[s.app].Members {
		if m.InstanceID != nil && *m.InstanceID == s.app+"-"+s.cfg.Instance {
			s.log.Warn("the group still counted another life of this instance among its members; it was put out: where one lives, give each process of an app_id "+
				"its own input.instance", "instance", s.cfg.Instance)
			s.leave(m.MemberID)
		}
	}
}

// leave lets the next life of this instance join a group of the consumer protocol
// at once. The client's own leaving lacks the instance, which brokers refuse; without
// it they wait for the session time-out.
func (s *Session) leave(member string) {
	req := kmsg.NewPtrConsumerGroupHeartbeatRequest()
	req.Group, req.MemberID, req.MemberEpoch = s.app, member, -2 // of a static member: it comes again
	instance := s.app + "-" + s.cfg.Instance
	req.InstanceID = &instance
	ctx, cancel := context.WithTimeout(context.Background(), rollWithin)
	defer cancel()
	if resp, err := req.RequestWith(ctx, s.aux); err == nil {
		err = kerr.ErrorForCode(resp.ErrorCode)
		if err == nil || errors.Is(err, kerr.UnknownMemberID) || errors.Is(err, kerr.GroupIDNotFound) || errors.Is(err, kerr.UnsupportedVersion) {
			return
		}
		s.log.Debug("the group was not told that this instance stops; its next life may have to wait", "error", err)
	}
}
