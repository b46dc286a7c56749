// Package simulate has the pipeline live through faults that follow from a seed: one
// to three instances of an application, each with its real loop, sessions and store,
// on an imitation of Kafka, in a bubble of testing/synctest. Network, disks and time
// are imitations too, so a minute of timeouts takes as long as the work in it.
//
// Everything is in test files with the build tag synctests, which the Kafka client
// needs to wait in a bubble. "make simulate" runs thousands of seeds.
package simulate
