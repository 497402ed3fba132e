package main

import (
	"context"

	"github.com/cloudops-manager/cloudops/api/client"
)

// largestPage is how much of a list the server gives at once.
const largestPage = 200

// upTo reads as much of a list as is wanted, all of it at 0, and tells whether
// there is more.
func upTo[T any](ctx context.Context, limit int, list func(context.Context, client.Page) (client.List[T], error)) (found []T, more bool, err error) {
	if limit < 0 {
		return nil, false, misuse("--limit is a number from 1, or 0 for all")
	}
	if limit == 0 {
		found, err = client.All(ctx, list)
		return found, false, err
	}
	found = []T{}
	for p := (client.Page{}); ; {
		p.Limit = min(limit-len(found), largestPage)
		page, err := list(ctx, p)
		if err != nil {
			return nil, false, err
		}
		found, p.Cursor = append(found, page.Items...), page.NextCursor
		if more = p.Cursor != ""; !more || len(found) >= limit {
			return found, more, nil
		}
	}
}
