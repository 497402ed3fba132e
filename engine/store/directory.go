package store

import (
	"context"
	"maps"
	"slices"

	"gorm.io/gorm"

	"github.com/cloudops-manager/cloudops/engine"
)

// The rows of the directory hold texts only, so that they can be compared.
type (
	projectRow struct{ Name, Description string }
	teamRow    struct{ Name, Description string }
	memberRow  struct{ Team, UserName, Source string }
	roleRow    struct{ Name, Description, Permissions string }
	bindingRow struct{ Kind, Subject, Role, Project, Stack string }
)

func (projectRow) TableName() string { return "projects" }
func (teamRow) TableName() string    { return "teams" }
func (memberRow) TableName() string  { return "team_members" }
func (roleRow) TableName() string    { return "roles" }
func (bindingRow) TableName() string { return "bindings" }

// key is what tells a row from all others.
func (r projectRow) key() map[string]any { return map[string]any{"name": r.Name} }
func (r teamRow) key() map[string]any    { return map[string]any{"name": r.Name} }
func (r roleRow) key() map[string]any    { return map[string]any{"name": r.Name} }
func (r memberRow) key() map[string]any {
	return map[string]any{"team": r.Team, "user_name": r.UserName, "source": r.Source}
}
func (r bindingRow) key() map[string]any {
	return map[string]any{"kind": r.Kind, "subject": r.Subject, "role": r.Role, "project": r.Project, "stack": r.Stack}
}

type keyed interface {
	comparable
	key() map[string]any
}

// directoryRows is the directory as the database has it.
type directoryRows struct {
	projects []projectRow
	teams    []teamRow
	members  []memberRow
	roles    []roleRow
	bindings []bindingRow
}

const directoryVersion = `(SELECT coalesce(max(version), 0) FROM directory)`

// DirectoryVersion implements engine.DirectoryStore.
func (s *Store) DirectoryVersion(ctx context.Context) (version int64, err error) {
	err = s.read.WithContext(ctx).Raw(`SELECT ` + directoryVersion).Scan(&version).Error
	return version, err
}

// Directory implements engine.DirectoryStore.
func (s *Store) Directory(ctx context.Context) (d *engine.Directory, err error) {
	err = s.read.WithContext(ctx).Transaction(func(tx *gorm.DB) (err error) {
		d, _, err = readDirectory(tx)
		return err
	}, s.snapshot())
	return d, err
}

func readDirectory(db *gorm.DB) (*engine.Directory, directoryRows, error) {
	d, rows := &engine.Directory{}, directoryRows{}
	if err := db.Raw(`SELECT ` + directoryVersion).Scan(&d.Version).Error; err != nil {
		return nil, rows, err
	}
	for sql, list := range map[string]any{
		`SELECT * FROM projects ORDER BY name`:                                &rows.projects,
		`SELECT * FROM teams ORDER BY name`:                                   &rows.teams,
		`SELECT * FROM team_members ORDER BY team, user_name, source`:         &rows.members,
		`SELECT * FROM roles ORDER BY name`:                                   &rows.roles,
		`SELECT * FROM bindings ORDER BY kind, subject, project, stack, role`: &rows.bindings,
		`SELECT name FROM users WHERE disabled OR kind = 'service'`:           &d.NoAdmins,
	} {
		if err := db.Raw(sql).Scan(list).Error; err != nil {
			return nil, rows, err
		}
	}
	return d, rows, rows.fill(d)
}

// fill turns rows into what the engine knows.
func (r directoryRows) fill(d *engine.Directory) error {
	for _, p := range r.projects {
		d.Projects = append(d.Projects, engine.Project(p))
	}
	for _, t := range r.teams {
		d.Teams = append(d.Teams, engine.Team(t))
	}
	for _, m := range r.members {
		d.Members = append(d.Members, engine.Member{Team: m.Team, User: m.UserName, Source: m.Source})
	}
	for _, b := range r.bindings {
		d.Bindings = append(d.Bindings, engine.Binding{
			Subject: engine.Subject{Kind: engine.SubjectKind(b.Kind), Name: b.Subject}, Role: engine.Role(b.Role), Scope: engine.Scope{Project: b.Project, Stack: b.Stack},
		})
	}
	for _, row := range r.roles {
		names, err := parse[[]string](row.Permissions)
		if err != nil {
			return err
		}
		d.Roles = append(d.Roles, engine.KeptRole(engine.Role(row.Name), row.Description, names))
	}
	return nil
}

// rowsOf is the other way round.
func rowsOf(d *engine.Directory) (r directoryRows) {
	for _, p := range d.Projects {
		r.projects = append(r.projects, projectRow(p))
	}
	for _, t := range d.Teams {
		r.teams = append(r.teams, teamRow(t))
	}
	for _, m := range d.Members {
		r.members = append(r.members, memberRow{m.Team, m.User, m.Source})
	}
	for _, role := range d.Roles {
		r.roles = append(r.roles, roleRow{string(role.Name), role.Description, text(role.Permissions())})
	}
	for _, b := range d.Bindings {
		r.bindings = append(r.bindings, newBindingRow(b))
	}
	return r
}

func newBindingRow(b engine.Binding) bindingRow {
	return bindingRow{string(b.Subject.Kind), b.Subject.Name, string(b.Role), b.Scope.Project, b.Scope.Stack}
}

// ChangeDirectory implements engine.DirectoryStore.
func (s *Store) ChangeDirectory(ctx context.Context, change func(*engine.Directory) error, events ...engine.Event) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		if err := s.lockDirectory(tx); err != nil {
			return err
		}
		d, before, err := readDirectory(tx)
		if err != nil {
			return err
		}
		version := d.Version
		if err := change(d); err != nil {
			return err
		}
		if err := before.write(tx, rowsOf(d)); err != nil {
			return err
		}
		if err := setVersion(tx, version+1); err != nil {
			return err
		}
		return addEvents(tx, events...)
	})
}

// lockDirectory lets one writer at a time go on. SQLite's are alone anyway.
func (s *Store) lockDirectory(tx *gorm.DB) error {
	if !s.postgres {
		return nil
	}
	return tx.Exec(`LOCK TABLE directory IN EXCLUSIVE MODE`).Error
}

// nextVersion says that a part of the directory is about to be changed by
// itself. It comes first: writers that wait for each other's rows, too, would
// wait for ever.
func (s *Store) nextVersion(tx *gorm.DB) error {
	if err := s.lockDirectory(tx); err != nil {
		return err
	}
	var version int64
	if err := tx.Raw(`SELECT ` + directoryVersion).Scan(&version).Error; err != nil {
		return err
	}
	return setVersion(tx, version+1)
}

func setVersion(tx *gorm.DB, version int64) error {
	if err := tx.Exec(`DELETE FROM directory`).Error; err != nil {
		return err
	}
	return tx.Exec(`INSERT INTO directory (version) VALUES (?)`, version).Error
}

func (r directoryRows) write(tx *gorm.DB, after directoryRows) error {
	for _, err := range []error{
		replace(tx, r.projects, after.projects), replace(tx, r.teams, after.teams), replace(tx, r.members, after.members),
		replace(tx, r.roles, after.roles), replace(tx, r.bindings, after.bindings),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

// replace removes the rows that are gone and adds those that are new.
func replace[R keyed](tx *gorm.DB, before, after []R) error {
	had, have := set(before), set(after)
	for row := range had {
		if !have[row] {
			if err := tx.Where(row.key()).Delete(new(R)).Error; err != nil {
				return err
			}
		}
	}
	for row := range have {
		if !had[row] {
			if err := tx.Create(&row).Error; err != nil {
				return err
			}
		}
	}
	return nil
}

func set[R comparable](rows []R) map[R]bool {
	return maps.Collect(func(yield func(R, bool) bool) {
		for _, row := range rows {
			if !yield(row, true) {
				return
			}
		}
	})
}

// InProject implements engine.DirectoryStore.
func (s *Store) InProject(ctx context.Context, project string) (string, error) {
	var found []string
	in := engine.Within{Projects: []string{project}}
	for _, kind := range []struct{ table, word string }{{"stacks", "stack"}, {"credentials", "credentials"}, {"variable_sets", "variable set"}} {
		where, args := within("name", &in)
		err := s.read.WithContext(ctx).Raw(`SELECT ? || name FROM `+kind.table+` WHERE `+where+` ORDER BY name LIMIT 1`,
			slices.Concat([]any{kind.word + " "}, args)...).Scan(&found).Error
		if err != nil {
			return "", err
		}
		if len(found) > 0 {
			return found[0], nil
		}
	}
	if rule, err := s.name(ctx, `SELECT 'its approval rule' FROM policies WHERE project = ?`, project); err != nil || rule != "" {
		return rule, err
	}
	where, args := within("stack", &in)
	return s.name(ctx, `SELECT 'webhook ' || name FROM webhooks WHERE project = ? OR `+where+` ORDER BY name LIMIT 1`, slices.Concat([]any{project}, args)...)
}

// stackOf finds the stack of each kind of thing.
var stackOf = map[engine.Thing]string{
	engine.ThingRun:      `SELECT stack FROM runs WHERE id = ?`,
	engine.ThingStep:     `SELECT stack FROM steps WHERE id = ?`,
	engine.ThingSchedule: `SELECT stack FROM schedules WHERE id = ?`,
	engine.ThingVersion:  `SELECT stack FROM state_versions WHERE id = ?`,
}

// StackOf implements engine.DirectoryStore.
func (s *Store) StackOf(ctx context.Context, t engine.Thing, id string) (stack string, err error) {
	err = one(s.read.WithContext(ctx), &stack, engine.Missing(t, id), stackOf[t], id)
	return stack, err
}
