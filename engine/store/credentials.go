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
	Name, Cloud, Kind, Description string
	Keys, Fields, Plan             string // JSON; Plan is empty where there is none
	Secret, PlanSecret             []byte
	CreatedAt, UpdatedAt           *int64
}

func (credentialRow) TableName() string { return "credentials" }

// planColumn is the column plan: a part without its values.
type planColumn struct {
	Fields map[string]string `json:"fields"`
	Keys   []string          `json:"keys"`
}

func (row credentialRow) credential() (*engine.Credential, error) {
	keys, err := parse[[]string](row.Keys)
	if err != nil {
		return nil, err
	}
	fields, err := parse[map[string]string](row.Fields)
	if err != nil {
		return nil, err
	}
	c := &engine.Credential{Name: row.Name, Cloud: engine.Cloud(row.Cloud), Kind: engine.CredentialKind(row.Kind), Description: row.Description,
		Fields: fields, Keys: keys, CreatedAt: instant(row.CreatedAt), UpdatedAt: instant(row.UpdatedAt)}
	if row.Plan == "" {
		return c, nil
	}
	plan, err := parse[planColumn](row.Plan)
	c.Plan = &engine.CredentialPart{Fields: plan.Fields, Keys: plan.Keys}
	return c, err
}

// PutCredential implements engine.CredentialStore.
func (s *Store) PutCredential(ctx context.Context, c *engine.Credential, e engine.Event) error {
	secret, err := s.sealValues(c.Name, "secret", c.Values)
	if err != nil {
		return err
	}
	var plan string
	var planSecret []byte
	if p := c.Plan; p != nil {
		plan = text(planColumn{filled(p.Fields), slices.Sorted(maps.Keys(p.Values))})
		if planSecret, err = s.sealValues(c.Name, "plan_secret", p.Values); err != nil {
			return err
		}
	}
	return s.inTx(ctx, func(tx *gorm.DB) error {
		before, err := was(s, tx, "credentials", c.Name, s.credential)
		if err != nil {
			return err
		}
		err = tx.Exec(`INSERT INTO credentials (name, cloud, kind, description, keys, fields, secret, plan, plan_secret, created_at, updated_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET cloud = excluded.cloud, kind = excluded.kind, description = excluded.description, keys = excluded.keys,
				fields = excluded.fields, secret = excluded.secret, plan = excluded.plan, plan_secret = excluded.plan_secret, updated_at = excluded.updated_at`,
			c.Name, c.Cloud, c.Kind, c.Description, text(slices.Sorted(maps.Keys(c.Values))), text(filled(c.Fields)), secret, plan, planSecret,
			micros(c.CreatedAt), micros(c.UpdatedAt)).Error
		if err != nil {
			return err
		}
		return addEvents(tx, e.Replacing(before))
	})
}

// filled is the map, or an empty one.
func filled(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

func (s *Store) sealValues(name, column string, values map[string]engine.Secret) ([]byte, error) {
	plain := make(map[string]string, len(values))
	for k, v := range values {
		plain[k] = v.Reveal()
	}
	b, err := json.Marshal(plain)
	if err != nil {
		return nil, err
	}
	return s.seal.Seal("credentials", name, column, b)
}

func (s *Store) openValues(name, column string, sealed []byte) (map[string]engine.Secret, error) {
	b, err := s.seal.Unseal("credentials", name, column, sealed)
	if err != nil {
		return nil, err
	}
	var plain map[string]string
	if err := json.Unmarshal(b, &plain); err != nil {
		return nil, err
	}
	values := make(map[string]engine.Secret, len(plain))
	for k, v := range plain {
		values[k] = engine.Secret(v)
	}
	return values, nil
}

// Credential implements engine.CredentialStore.
func (s *Store) Credential(ctx context.Context, name string) (*engine.Credential, error) {
	return s.credential(s.read.WithContext(ctx), name)
}

func (s *Store) credential(db *gorm.DB, name string) (*engine.Credential, error) {
	var row credentialRow
	if err := one(db, &row, engine.Missing(engine.ThingCredentials, name), `SELECT * FROM credentials WHERE name = ?`, name); err != nil {
		return nil, err
	}
	c, err := row.credential()
	if err != nil {
		return nil, err
	}
	if c.Values, err = s.openValues(name, "secret", row.Secret); err != nil || c.Plan == nil {
		return c, err
	}
	c.Plan.Values, err = s.openValues(name, "plan_secret", row.PlanSecret)
	return c, err
}

// Credentials implements engine.CredentialStore.
func (s *Store) Credentials(ctx context.Context, p engine.Page) ([]*engine.Credential, error) {
	var rows []credentialRow
	where, args := withinProjects("name", p.Within)
	err := s.read.WithContext(ctx).Raw(`SELECT name, cloud, kind, description, keys, fields, plan, created_at, updated_at FROM credentials
		WHERE name > ? AND `+where+` ORDER BY name LIMIT ?`, around(p.After, args, limit(p))...).Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	return each(rows, credentialRow.credential)
}

// DeleteCredential implements engine.CredentialStore.
func (s *Store) DeleteCredential(ctx context.Context, name string, e engine.Event) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		before, err := was(s, tx, "credentials", name, s.credential)
		if err != nil {
			return err
		}
		return change(tx, engine.Missing(engine.ThingCredentials, name), e.Replacing(before), `DELETE FROM credentials WHERE name = ?`, name)
	})
}
