# A container for objects in a storage account of its own: encrypted, closed
# to the public and reachable over TLS only.
# ISO 27001: A.5.15, A.8.3, A.8.13, A.8.24

data "azurerm_client_config" "current" {}

locals {
  # Accounts have short names that nobody else in the world may have.
  unique  = substr(sha256("${data.azurerm_client_config.current.subscription_id}/${local.group}/${var.name}"), 0, 8)
  account = "${substr(replace(var.name, "-", ""), 0, 16)}${local.unique}"
}

resource "azurerm_storage_account" "this" {
  name                            = local.account
  resource_group_name             = local.group
  location                        = local.location
  account_tier                    = "Standard"
  account_kind                    = "StorageV2"
  account_replication_type        = "ZRS"
  https_traffic_only_enabled      = true
  min_tls_version                 = "TLS1_2"
  allow_nested_items_to_be_public = false
  default_to_oauth_authentication = true
  local_user_enabled              = false
  tags                            = var.tags

  blob_properties {
    versioning_enabled = var.versioning

    delete_retention_policy {
      days = 7
    }
    container_delete_retention_policy {
      days = 7
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
      key_vault_key_id          = customer_managed_key.value
      user_assigned_identity_id = var.encryption_identity_id
    }
  }

  lifecycle {
    precondition {
      condition     = var.encryption_key_id == null || var.encryption_identity_id != null
      error_message = "encryption_identity_id must be given with encryption_key_id."
    }
  }
}

resource "azurerm_storage_container" "this" {
  name                  = var.name
  storage_account_id    = azurerm_storage_account.this.id
  container_access_type = "private"
}

resource "azurerm_management_lock" "this" {
  count = var.force_destroy ? 0 : 1

  name       = "keep"
  scope      = azurerm_storage_account.this.id
  lock_level = "CanNotDelete"
  notes      = "Holds the objects of ${var.name}."

  depends_on = [azurerm_storage_container.this]
}
