package store

import (
	"errors"

	"gorm.io/gorm"

	"github.com/cloudops-manager/cloudops/engine"
)

type approvalRow struct {
	ID                                            int64
	RunID, ByUser, Role, Verdict, Digest, Comment string
	At                                            *int64
}

func (approvalRow) TableName() string { return "approvals" }

func addApproval(tx *gorm.DB, run string, a engine.Approval) error {
	row := approvalRow{RunID: run, ByUser: a.By, Role: string(a.Role), Verdict: string(a.Verdict), Digest: a.Digest, Comment: a.Comment, At: micros(a.At)}
	err := tx.Omit("id").Create(&row).Error
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return engine.Conflict("%s has approved this plan already", a.By)
	}
	return err
}

func approvals(db *gorm.DB, run string) ([]engine.Approval, error) {
	var rows []approvalRow
	if err := db.Raw(`SELECT * FROM approvals WHERE run_id = ? ORDER BY id`, run).Scan(&rows).Error; err != nil {
		return nil, err
	}
	var list []engine.Approval
	for _, row := range rows {
		list = append(list, engine.Approval{By: row.ByUser, Role: engine.Role(row.Role), Verdict: engine.Verdict(row.Verdict),
			Digest: row.Digest, Comment: row.Comment, At: instant(row.At)})
	}
	return list, nil
}
