package store

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"gorm.io/gorm"

	"github.com/cloudops-manager/cloudops/engine"
)

type credentialRow struct {
	Name, Cloud, Description, Keys string
	Secret                         []byte
	CreatedAt, UpdatedAt           *int64
}

func (credentialRow) TableName() string { return "credentials" }

func (row credentialRow) credential() (*engine.Credential, error) {
	keys, err := parse[[]string](row.Keys)
	return &engine.Credential{Name: row.Name, Cloud: engine.Cloud(row.Cloud), Description: row.Description, Keys: keys,
		CreatedAt: instant(row.CreatedAt), UpdatedAt: instant(row.UpdatedAt)}, err
}

// PutCredential implements engine.CredentialStore.
func (s *Store) PutCredential(ctx context.Context, c *engine.Credential, e engine.Event) error {
	plain := make(map[string]string, len(c.Values))
	for k, v := range c.Values {
		plain[k] = v.Reveal()
	}
	b, err := json.Marshal(plain)
	if err != nil {
		return err
	}
	sealed, err := s.seal.Seal("credentials", c.Name, "secret", b)
	if err != nil {
		return err
	}
	return s.inTx(ctx, func(tx *gorm.DB) error {
		err := tx.Exec(`INSERT INTO credentials (name, cloud, description, keys, secret, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET cloud = excluded.cloud, description = excluded.description, keys = excluded.keys,
				secret = excluded.secret, updated_at = excluded.updated_at`,
			c.Name, c.Cloud, c.Description, text(slices.Sorted(maps.Keys(plain))), sealed, micros(c.CreatedAt), micros(c.UpdatedAt)).Error
		if err != nil {
			return err
		}
		return addEvents(tx, e)
	})
}

// Credential implements engine.CredentialStore.
func (s *Store) Credential(ctx context.Context, name string) (*engine.Credential, error) {
	var row credentialRow
	if err := one(s.read.WithContext(ctx), &row, engine.Missing(engine.ThingCredentials, name), `SELECT * FROM credentials WHERE name = ?`, name); err != nil {
		return nil, err
	}
	c, err := row.credential()
	if err != nil {
		return nil, err
	}
	b, err := s.seal.Unseal("credentials", name, "secret", row.Secret)
	if err != nil {
		return nil, err
	}
	var plain map[string]string
	if err := json.Unmarshal(b, &plain); err != nil {
		return nil, err
	}
	c.Values = make(map[string]engine.Secret, len(plain))
	for k, v := range plain {
		c.Values[k] = engine.Secret(v)
	}
	return c, nil
}

// Credentials implements engine.CredentialStore.
func (s *Store) Credentials(ctx context.Context, p engine.Page) ([]*engine.Credential, error) {
	var rows []credentialRow
	where, args := within("name", p.Within)
	err := s.read.WithContext(ctx).Raw(`SELECT name, cloud, description, keys, created_at, updated_at FROM credentials
		WHERE name > ? AND `+where+` ORDER BY name LIMIT ?`, around(p.After, args, limit(p))...).Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	return each(rows, credentialRow.credential)
}

// DeleteCredential implements engine.CredentialStore.
func (s *Store) DeleteCredential(ctx context.Context, name string, e engine.Event) error {
	return s.writeOne(ctx, engine.Missing(engine.ThingCredentials, name), e, `DELETE FROM credentials WHERE name = ?`, name)
}

// writeOne changes a row with its event, or returns missing.
func (s *Store) writeOne(ctx context.Context, missing error, e engine.Event, sql string, args ...any) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		res := tx.Exec(sql, args...)
		if res.Error != nil {
			return res.Error
		}
		if res.RowsAffected == 0 {
			return missing
		}
		return addEvents(tx, e)
	})
}
