//go:build !linux

package main

// smallDisk is a file system of its own; there is none here.
type smallDisk struct{ dir string }

func (w *world) mountSmall(*instance) *smallDisk { return nil }

func (d *smallDisk) unmount() error { return nil }
