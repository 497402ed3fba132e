# A database server that only the network reaches, with backups, encryption
# and a database with a user and a password of its own.
# ISO 27001: A.5.15, A.8.13, A.8.14, A.8.20, A.8.24

data "google_client_config" "current" {}

locals {
  postgres = var.engine == "postgres"
  port     = local.postgres ? 5432 : 3306
  sizes    = { small = "db-custom-1-3840", medium = "db-custom-2-7680", large = "db-custom-4-16384" }
  version  = local.postgres ? "POSTGRES_${coalesce(var.engine_version, "16")}" : "MYSQL_${replace(coalesce(var.engine_version, "8.0"), ".", "_")}"
  flags    = local.postgres ? { log_connections = "on", log_disconnections = "on" } : { local_infile = "off" }

  # Labels hold lowercase letters, digits, _ and - only, 63 at most.
  labels = {
    for name, text in var.tags : substr(replace(lower(name), "/[^a-z0-9_-]/", "-"), 0, 63) => substr(replace(lower(text), "/[^a-z0-9_-]/", "-"), 0, 63)
  }
}

resource "random_password" "this" {
  length  = 40
  special = false
}

resource "google_sql_database_instance" "this" {
  name                = var.name
  database_version    = local.version
  encryption_key_name = var.encryption_key_id
  deletion_protection = var.deletion_protection

  settings {
    edition                     = "ENTERPRISE"
    tier                        = lookup(local.sizes, var.size, var.size)
    availability_type           = var.high_availability ? "REGIONAL" : "ZONAL"
    disk_size                   = var.storage_gb
    disk_autoresize             = true
    deletion_protection_enabled = var.deletion_protection
    user_labels                 = local.labels

    backup_configuration {
      enabled                        = true
      point_in_time_recovery_enabled = local.postgres
      binary_log_enabled             = !local.postgres
      transaction_log_retention_days = min(7, var.backup_days)

      backup_retention_settings {
        retained_backups = var.backup_days
        retention_unit   = "COUNT"
      }
    }

    ip_configuration {
      ipv4_enabled = false
      ssl_mode     = "ENCRYPTED_ONLY"

      psc_config {
        psc_enabled               = true
        allowed_consumer_projects = [data.google_client_config.current.project]
      }
    }

    dynamic "database_flags" {
      for_each = local.flags

      content {
        name  = database_flags.key
        value = database_flags.value
      }
    }
  }

  # Storage grows by itself.
  lifecycle {
    ignore_changes = [settings[0].disk_size]
  }
}

# Both go with the server: Postgres refuses to drop a user that owns anything.
resource "google_sql_database" "this" {
  name            = var.database
  instance        = google_sql_database_instance.this.name
  deletion_policy = "ABANDON"
}

resource "google_sql_user" "this" {
  name            = var.username
  instance        = google_sql_database_instance.this.name
  password        = random_password.this.result
  deletion_policy = "ABANDON"
}

# The address of the server inside the network.
resource "google_compute_address" "this" {
  name         = "${var.name}-database"
  subnetwork   = var.subnet_ids[0]
  address_type = "INTERNAL"
  labels       = local.labels
}

resource "google_compute_forwarding_rule" "this" {
  name                  = "${var.name}-database"
  network               = var.network_id
  subnetwork            = var.subnet_ids[0]
  ip_address            = google_compute_address.this.id
  target                = google_sql_database_instance.this.psc_service_attachment_link
  load_balancing_scheme = ""
  labels                = local.labels
}
