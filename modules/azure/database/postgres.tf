resource "azurerm_postgresql_flexible_server" "this" {
  count = local.postgres ? 1 : 0

  name                          = local.server
  resource_group_name           = local.group
  location                      = local.location
  version                       = coalesce(var.engine_version, "16")
  sku_name                      = local.size
  storage_mb                    = local.storage * 1024
  auto_grow_enabled             = true
  backup_retention_days         = max(7, var.backup_days)
  public_network_access_enabled = false
  administrator_login           = var.username
  administrator_password        = random_password.this.result
  tags                          = var.tags

  dynamic "high_availability" {
    for_each = var.high_availability ? ["ZoneRedundant"] : []

    content {
      mode = high_availability.value
    }
  }

  dynamic "identity" {
    for_each = var.encryption_key_id[*]

    content {
      type         = "UserAssigned"
      identity_ids = [var.encryption_identity_id]
    }
  }

  dynamic "customer_managed_key" {
    for_each = var.encryption_key_id[*]

    content {
      key_vault_key_id                  = customer_managed_key.value
      primary_user_assigned_identity_id = var.encryption_identity_id
    }
  }

  # Zones change places when the second server takes over, and storage grows.
  lifecycle {
    ignore_changes = [zone, high_availability[0].standby_availability_zone, storage_mb]
  }
}

resource "azurerm_postgresql_flexible_server_database" "this" {
  count = local.postgres ? 1 : 0

  name      = var.database
  server_id = azurerm_postgresql_flexible_server.this[0].id
  charset   = "UTF8"
  collation = "en_US.utf8"
}

resource "azurerm_postgresql_flexible_server_configuration" "this" {
  for_each = local.postgres ? { require_secure_transport = "on", ssl_min_protocol_version = "TLSv1.2" } : {}

  name      = each.key
  server_id = azurerm_postgresql_flexible_server.this[0].id
  value     = each.value
}
