package engine

import (
	"context"
	"errors"
)

// taken is what a run takes in hand.
type taken struct {
	rev     *Revision
	parts   []placed // each after what it needs
	partial bool     // something that it leaves out is not as its revision says
}

// take works out what a run takes in hand as things are now, and refuses a run
// that may not be.
func (s *Runs) take(ctx context.Context, req StartRequest) (taken, error) {
	rev, err := s.revision(ctx, req)
	if err != nil {
		return taken{}, err
	}
	if req.Kind == RunDrift {
		return s.takeDeployed(ctx, req, rev)
	}
	there, err := s.standing(ctx, rev)
	if err != nil {
		return taken{}, err
	}
	all, err := there.parts(req.Kind, rev)
	if err != nil {
		return taken{}, err
	}
	kept, err := there.only(req, all)
	if err != nil {
		return taken{}, err
	}
	if err := errors.Join(there.protect(kept), s.checkReaders(ctx, req)); err != nil {
		return taken{}, err
	}
	return taken{rev: rev, parts: kept, partial: there.leaves(req, all, kept)}, nil
}

// takeDeployed takes what is deployed, each component at the revision that it
// is at.
func (s *Runs) takeDeployed(ctx context.Context, req StartRequest, rev *Revision) (taken, error) {
	deployed, err := s.Store.Deployed(ctx, req.Stack)
	if err != nil {
		return taken{}, err
	}
	var parts []placed
	for _, number := range distinct(deployed) {
		at, err := s.outline(ctx, req.Stack, number)
		if err != nil {
			return taken{}, err
		}
		parts = append(parts, deployedParts(at, deployed)...)
	}
	if len(parts) == 0 {
		return taken{}, Conflict("nothing of stack %s is applied yet, so nothing can have drifted", req.Stack)
	}
	parts, err = standing{deployed: deployed}.only(req, parts)
	return taken{rev: rev, parts: parts, partial: req.chosen()}, err
}
