package main

import (
	"errors"
	"log/slog"
	"time"

	"github.com/dangol-dev/dangol/state"
)

// openState opens the state. One that is damaged is set aside: an empty one
// takes its place, and the changelog fills it. damaged hears of damage that is
// met later; the engine then ends, and its successor comes by here.
func openState(cfg state.Config, log *slog.Logger, damaged chan error) (*state.Store, error) {
	obs := stateLog(log, damaged)
	store, err := state.Open(cfg, nil, obs)
	if !errors.Is(err, state.ErrDamaged) {
		return store, err
	}
	select {
	case err = <-damaged: // the same, and dealt with here
	default:
	}
	if err := setAside(cfg, log, err); err != nil {
		return nil, err
	}
	return state.Open(cfg, nil, obs)
}

// setAside moves a state away that is of no use here, because of a reason: damage,
// or that it is another application's.
func setAside(cfg state.Config, log *slog.Logger, reason error) error {
	movedTo, err := state.Quarantine(cfg, nil, time.Now())
	if err != nil {
		return errors.Join(reason, err)
	}
	log.Warn("the state on disk is of no use; it was set aside, and is now read back from the changelog; see to the reason, then remove the old directory",
		"reason", reason.Error(), "old", movedTo, "state", cfg.Dir)
	return nil
}

// stateLog tells of what the store meets by itself.
func stateLog(log *slog.Logger, damaged chan<- error) state.Observer {
	return state.Observer{
		BackgroundError: func(err error) {
			if !errors.Is(err, state.ErrDamaged) { // Corruption tells that
				log.Error("state cannot be written; it is retried, and memory fills up", "error", err.Error())
			}
		},
		Recovered: func() { log.Info("state is written again") },
		WriteStall: func(begin bool, reason string) {
			if begin {
				log.Warn("state writes wait for the disk", "reason", reason)
			}
		},
		Corruption: func(err error) {
			select {
			case damaged <- err:
			default:
			}
		},
		Message: func(text string) { log.Error("state", "error", text) },
		Fatal:   func(text string) { log.Error(text) },
	}
}
