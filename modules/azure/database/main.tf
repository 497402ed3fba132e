# A database server that only the network reaches, with backups, encryption
# and a database with a user and a password of its own.
# ISO 27001: A.5.15, A.8.13, A.8.14, A.8.20, A.8.24

data "azurerm_client_config" "current" {}

locals {
  postgres = var.engine == "postgres"
  port     = local.postgres ? 5432 : 3306
  # Servers have names that nobody else in the world may have.
  unique = substr(sha256("${data.azurerm_client_config.current.subscription_id}/${local.group}/${var.name}"), 0, 6)
  server = "${var.name}-${local.unique}"
  sizes = {
    small  = "B_Standard_B1ms"
    medium = local.postgres ? "GP_Standard_D2ds_v5" : "GP_Standard_D2ds_v4"
    large  = local.postgres ? "GP_Standard_D4ds_v5" : "GP_Standard_D4ds_v4"
  }
  size = lookup(local.sizes, var.size, var.size)
  # What Azure has for postgres, in GB.
  storage = min([for gb in [32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384] : gb if gb >= var.storage_gb]...)

  id   = one(concat(azurerm_postgresql_flexible_server.this[*].id, azurerm_mysql_flexible_server.this[*].id))
  fqdn = one(concat(azurerm_postgresql_flexible_server.this[*].fqdn, azurerm_mysql_flexible_server.this[*].fqdn))
}

resource "random_password" "this" {
  length  = 40
  special = false

  # Azure wants three kinds of characters.
  min_lower   = 1
  min_upper   = 1
  min_numeric = 1

  lifecycle {
    precondition {
      condition     = !var.high_availability || !startswith(local.size, "B_")
      error_message = "high_availability needs another size: ${local.size} cannot have a second server."
    }
    precondition {
      condition     = var.encryption_key_id == null || var.encryption_identity_id != null
      error_message = "encryption_identity_id must be given with encryption_key_id."
    }
  }
}

resource "azurerm_management_lock" "this" {
  count = var.deletion_protection ? 1 : 0

  name       = "keep"
  scope      = local.id
  lock_level = "CanNotDelete"
  notes      = "Holds the data of ${var.name}."

  # What is below the server is destroyed after the lock.
  depends_on = [
    azurerm_postgresql_flexible_server_database.this, azurerm_postgresql_flexible_server_configuration.this,
    azurerm_mysql_flexible_database.this, azurerm_mysql_flexible_server_configuration.this,
    azurerm_private_endpoint.this,
  ]
}
