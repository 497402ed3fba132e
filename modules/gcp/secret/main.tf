# A secret that only those who are named may read, and whose versions can be
# brought back for some days after they are destroyed.
# ISO 27001: A.5.15, A.5.17, A.8.3, A.8.24

locals {
  # Labels hold lowercase letters, digits, _ and - only, 63 at most.
  labels = {
    for name, text in var.tags : substr(replace(lower(name), "/[^a-z0-9_-]/", "-"), 0, 63) => substr(replace(lower(text), "/[^a-z0-9_-]/", "-"), 0, 63)
  }
}

resource "google_secret_manager_secret" "this" {
  secret_id           = var.name
  annotations         = var.description == null ? {} : { description = var.description }
  version_destroy_ttl = var.recovery_days == 0 ? null : "${var.recovery_days * 86400}s"
  labels              = local.labels

  replication {
    auto {
      dynamic "customer_managed_encryption" {
        for_each = var.encryption_key_id[*]

        content {
          kms_key_name = customer_managed_encryption.value
        }
      }
    }
  }
}

resource "random_password" "this" {
  length  = 40
  special = false
}

resource "google_secret_manager_secret_version" "this" {
  secret      = google_secret_manager_secret.this.id
  secret_data = var.value == null ? random_password.this.result : var.value
}

resource "google_secret_manager_secret_iam_member" "reader" {
  for_each = toset(var.readers)

  secret_id = google_secret_manager_secret.this.id
  role      = "roles/secretmanager.secretAccessor"
  member    = each.value
}
