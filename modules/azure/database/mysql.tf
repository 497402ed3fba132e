resource "azurerm_mysql_flexible_server" "this" {
  count = local.postgres ? 0 : 1

  name                   = local.server
  resource_group_name    = local.group
  location               = local.location
  version                = coalesce(var.engine_version, "8.0.21")
  sku_name               = local.size
  backup_retention_days  = var.backup_days
  public_network_access  = "Disabled"
  administrator_login    = var.username
  administrator_password = random_password.this.result
  tags                   = var.tags

  storage {
    size_gb           = var.storage_gb
    auto_grow_enabled = true
  }

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
    ignore_changes = [zone, high_availability[0].standby_availability_zone, storage[0].size_gb]
  }
}

resource "azurerm_mysql_flexible_database" "this" {
  count = local.postgres ? 0 : 1

  name                = var.database
  resource_group_name = local.group
  server_name         = azurerm_mysql_flexible_server.this[0].name
  charset             = "utf8mb4"
  collation           = "utf8mb4_unicode_ci"
}

resource "azurerm_mysql_flexible_server_configuration" "this" {
  for_each = local.postgres ? {} : { require_secure_transport = "ON", tls_version = "TLSv1.2,TLSv1.3" }

  name                = each.key
  resource_group_name = local.group
  server_name         = azurerm_mysql_flexible_server.this[0].name
  value               = each.value
}
