package store

import (
	"context"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
)

// BeginRequest implements engine.IdempotencyStore.
func (s *Store) BeginRequest(ctx context.Context, user, key, request string, at time.Time) (*engine.StoredResponse, error) {
	res := s.db.WithContext(ctx).Exec(`INSERT INTO idempotency_keys (user_name, key, request, status, type, created_at) VALUES (?, ?, ?, 0, '', ?)
		ON CONFLICT DO NOTHING`, user, key, request, at.UnixMicro())
	if res.Error != nil || res.RowsAffected == 1 {
		return nil, res.Error
	}
	var row struct {
		Request, Type string
		Status        int
		Body, Answer  []byte
	}
	err := one(s.db.WithContext(ctx), &row, engine.Conflict("the request with this idempotency key was taken back; send it again"),
		`SELECT request, status, type, body, answer FROM idempotency_keys WHERE user_name = ? AND key = ?`, user, key)
	if err != nil {
		return nil, err
	}
	if len(row.Answer) > 0 {
		if row.Body, err = s.seal.Unseal("idempotency_keys", user+"/"+key, "answer", row.Answer); err != nil {
			return nil, err
		}
	}
	return &engine.StoredResponse{Request: row.Request, Status: row.Status, Type: row.Type, Body: row.Body}, nil
}

// FinishRequest implements engine.IdempotencyStore.
func (s *Store) FinishRequest(ctx context.Context, user, key string, r engine.StoredResponse) error {
	sealed, err := s.seal.Seal("idempotency_keys", user+"/"+key, "answer", r.Body)
	if err != nil {
		return err
	}
	return s.db.WithContext(ctx).Exec(`UPDATE idempotency_keys SET status = ?, type = ?, answer = ? WHERE user_name = ? AND key = ?`,
		r.Status, r.Type, sealed, user, key).Error
}

// AbandonRequest implements engine.IdempotencyStore.
func (s *Store) AbandonRequest(ctx context.Context, user, key string) error {
	return s.db.WithContext(ctx).Exec(`DELETE FROM idempotency_keys WHERE user_name = ? AND key = ? AND status = 0`, user, key).Error
}

// ForgetRequests implements engine.IdempotencyStore.
func (s *Store) ForgetRequests(ctx context.Context, t time.Time) error {
	return s.db.WithContext(ctx).Exec(`DELETE FROM idempotency_keys WHERE created_at < ?`, t.UnixMicro()).Error
}
