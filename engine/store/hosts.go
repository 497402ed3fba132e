package store

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/cloudops-manager/cloudops/engine"
)

type hostRow struct {
	ID, Stack, Component, Name, Address, UserName, GroupNames string
	MadeBy, Resource, ResourceID, HostKeys                    string
	FirstRun, LastRun, RetiredWhy                             string
	Port                                                      int
	Facts                                                     []byte
	KeysAt, FactsAt, FirstSeen, LastSeen, RetiredAt           *int64
}

func (hostRow) TableName() string { return "hosts" }

func (s *Store) newHostRow(h *engine.KnownHost) (hostRow, error) {
	row := hostRow{
		ID: h.ID, Stack: h.Stack, Component: h.Component, Name: h.Name, Address: h.Address, Port: h.Port, UserName: h.User, GroupNames: text(h.Groups),
		MadeBy: h.MadeBy, Resource: h.Resource, ResourceID: h.ResourceID, HostKeys: text(h.Keys), FirstRun: h.FirstRun, LastRun: h.LastRun,
		RetiredWhy: h.RetiredWhy, KeysAt: micros(h.KeysAt), FactsAt: micros(h.FactsAt), FirstSeen: micros(h.FirstSeen), LastSeen: micros(h.LastSeen),
		RetiredAt: micros(h.RetiredAt),
	}
	if len(h.Facts) == 0 {
		return row, nil
	}
	var err error
	row.Facts, err = s.seal.Seal("hosts", h.ID, "facts", h.Facts)
	return row, err
}

func (s *Store) host(row hostRow) (*engine.KnownHost, error) {
	h := &engine.KnownHost{
		ID: row.ID, Stack: row.Stack, Component: row.Component, Name: row.Name, Address: row.Address, Port: row.Port, User: row.UserName,
		MadeBy: row.MadeBy, Resource: row.Resource, ResourceID: row.ResourceID, FirstRun: row.FirstRun, LastRun: row.LastRun, RetiredWhy: row.RetiredWhy,
		KeysAt: instant(row.KeysAt), FactsAt: instant(row.FactsAt), FirstSeen: instant(row.FirstSeen), LastSeen: instant(row.LastSeen), RetiredAt: instant(row.RetiredAt),
	}
	var err error
	if h.Groups, err = parse[[]string](row.GroupNames); err != nil {
		return nil, err
	}
	if h.Keys, err = parse[[]string](row.HostKeys); err != nil {
		return nil, err
	}
	if len(row.Facts) > 0 {
		var facts []byte
		facts, err = s.seal.Unseal("hosts", row.ID, "facts", row.Facts)
		h.Facts = json.RawMessage(facts)
	}
	return h, err
}

// Hosts implements engine.HostStore.
func (s *Store) Hosts(ctx context.Context, stack string, retired bool) ([]*engine.KnownHost, error) {
	return s.HostPage(ctx, stack, retired, engine.Everything())
}

// HostPage implements engine.HostStore.
func (s *Store) HostPage(ctx context.Context, stack string, retired bool, p engine.Page) ([]*engine.KnownHost, error) {
	q := s.read.WithContext(ctx).Where("stack = ?", stack).Order("component, name, first_seen, id").Limit(limit(p))
	if p.After != "" {
		q = q.Where("(component, name, first_seen, id) > (SELECT component, name, first_seen, id FROM hosts WHERE id = ?)", p.After)
	}
	if !retired {
		q = q.Where("retired_at IS NULL")
	}
	var rows []hostRow
	if err := q.Find(&rows).Error; err != nil {
		return nil, err
	}
	return each(rows, s.host)
}

// PutHosts implements engine.HostStore.
func (s *Store) PutHosts(ctx context.Context, hosts []*engine.KnownHost) error {
	if len(hosts) == 0 {
		return nil
	}
	return s.inTx(ctx, func(tx *gorm.DB) error {
		for _, h := range hosts {
			if err := s.putHost(tx, h); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Store) putHost(tx *gorm.DB, h *engine.KnownHost) error {
	row, err := s.newHostRow(h)
	if err != nil {
		return err
	}
	var kept []hostRow
	if err := tx.Raw(`SELECT host_keys, retired_at FROM hosts WHERE id = ?`+s.locked(), h.ID).Scan(&kept).Error; err != nil {
		return err
	}
	if len(kept) == 0 {
		return tx.Create(&row).Error
	}
	if kept[0].RetiredAt != nil { // since it was read by who writes it now
		return nil
	}
	return updateHost(tx, row, h.Keys, kept[0].HostKeys)
}

// updateHost writes what there is of a host; what it lacks stays as it is kept.
func updateHost(tx *gorm.DB, row hostRow, seen []string, kept string) error {
	keys, err := parse[[]string](kept)
	if err != nil {
		return err
	}
	leave := []string{"id", "retired_at", "retired_why"}
	if row.Facts == nil {
		leave = append(leave, "facts", "facts_at")
	}
	added := slices.DeleteFunc(slices.Clone(seen), func(key string) bool { return slices.Contains(keys, key) })
	if len(added) == 0 {
		leave = append(leave, "host_keys", "keys_at")
	}
	row.HostKeys = text(append(keys, added...))
	return tx.Model(&hostRow{}).Where("id = ?", row.ID).Select("*").Omit(leave...).Updates(&row).Error
}

// ForgetHostKeys implements engine.HostStore.
func (s *Store) ForgetHostKeys(ctx context.Context, stack, name string, e engine.Event) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		res := tx.Exec(`UPDATE hosts SET host_keys = 'null', keys_at = NULL WHERE stack = ? AND name = ? AND retired_at IS NULL`, stack, name)
		if res.Error != nil {
			return res.Error
		}
		if res.RowsAffected == 0 {
			return engine.NotFound("stack %s has no host %q", stack, name)
		}
		return addEvents(tx, e)
	})
}

// RetireHosts implements engine.HostStore.
func (s *Store) RetireHosts(ctx context.Context, hosts []*engine.KnownHost, run, why string, at time.Time) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		for _, h := range hosts {
			if err := retireHost(tx, h, run, why, at); err != nil {
				return err
			}
		}
		return nil
	})
}

const retireColumns = `UPDATE hosts SET retired_at = ?, retired_why = ?, last_run = ?, host_keys = 'null', keys_at = NULL, facts = NULL, facts_at = NULL `

func retireHost(tx *gorm.DB, h *engine.KnownHost, run, why string, at time.Time) error {
	err := tx.Exec(retireColumns+`WHERE id = ? AND retired_at IS NULL`, at.UnixMicro(), why, run, h.ID).Error
	if err != nil {
		return err
	}
	// The subjects of findings on hosts begin with the host's name.
	return tx.Exec(`UPDATE findings SET resolved_at = ? WHERE stack = ? AND component = ? AND resolved_at IS NULL AND substr(subject, 1, ?) = ?`,
		at.UnixMicro(), h.Stack, h.Component, len(h.Name)+2, h.Name+": ").Error
}

// retireStrays ends the hosts and findings of components that the stack no
// longer has after a run that went over all of it; all of them after a destroy.
func retireStrays(tx *gorm.DB, r *engine.Run) error {
	there, err := deployed(tx, r.Stack)
	if err != nil {
		return err
	}
	stay := append(slices.Collect(maps.Keys(there)), "")
	const strays = `WHERE stack = ? AND component NOT IN ? AND `
	err = tx.Exec(retireColumns+strays+`retired_at IS NULL`,
		r.FinishedAt.UnixMicro(), "its playbook left the stack", r.ID, r.Stack, stay).Error
	if err != nil {
		return err
	}
	return tx.Exec(`UPDATE findings SET resolved_at = ? `+strays+`resolved_at IS NULL`, r.FinishedAt.UnixMicro(), r.Stack, stay).Error
}
