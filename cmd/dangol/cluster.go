package main

import (
	api "github.com/dangol-dev/dangol/connectors/http"
	"github.com/dangol-dev/dangol/connectors/kafka"
	"github.com/dangol-dev/dangol/engine/pipeline"
)

// cluster tells the API of the instances, as the group knows them.
type cluster struct {
	group *kafka.Members
	core  *pipeline.Core
	self  string
}

func (c cluster) Self() string { return c.self }

func (c cluster) Members() []api.Member {
	var all []api.Member
	for _, m := range c.group.All() {
		all = append(all, api.Member{Instance: m.Instance, Address: m.Address})
	}
	return all
}

func (c cluster) Owner(partition int32) (api.Member, bool) {
	instance, address, ok := c.group.Owner(partition)
	return api.Member{Instance: instance, Address: address}, ok
}

func (c cluster) Standby(partition int32) (api.Member, bool) {
	instance, address, ok := c.group.Standby(partition)
	return api.Member{Instance: instance, Address: address}, ok
}

func (c cluster) Partitions() int32 { return c.core.Partitions() }
