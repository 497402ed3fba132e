# A secret in a vault of its own, so that who may read it may read nothing
# else. What is destroyed can be brought back.
# ISO 27001: A.5.15, A.5.17, A.8.3, A.8.24

data "azurerm_client_config" "current" {}

locals {
  # Vaults have short names that nobody else in the world may have.
  unique = substr(sha256("${data.azurerm_client_config.current.subscription_id}/${local.group}/${var.name}"), 0, 8)
  vault  = "${trimsuffix(substr(var.name, 0, 15), "-")}-${local.unique}"
  me     = data.azurerm_client_config.current.object_id
}

resource "azurerm_key_vault" "this" {
  name                       = local.vault
  resource_group_name        = local.group
  location                   = local.location
  tenant_id                  = data.azurerm_client_config.current.tenant_id
  sku_name                   = "standard"
  rbac_authorization_enabled = false
  purge_protection_enabled   = true
  soft_delete_retention_days = max(7, var.recovery_days)
  tags                       = var.tags
}

# Policies of the vault hold at once; roles take minutes, in which the secret
# could not be written.
resource "azurerm_key_vault_access_policy" "writer" {
  key_vault_id       = azurerm_key_vault.this.id
  tenant_id          = data.azurerm_client_config.current.tenant_id
  object_id          = local.me
  secret_permissions = ["Delete", "Get", "List", "Recover", "Set"]
}

resource "azurerm_key_vault_access_policy" "reader" {
  for_each = setsubtract(var.readers, [local.me])

  key_vault_id       = azurerm_key_vault.this.id
  tenant_id          = data.azurerm_client_config.current.tenant_id
  object_id          = each.value
  secret_permissions = ["Get"]
}

resource "random_password" "this" {
  length  = 40
  special = false
}

resource "azurerm_key_vault_secret" "this" {
  name         = var.name
  key_vault_id = azurerm_key_vault.this.id
  value        = var.value == null ? random_password.this.result : var.value
  content_type = var.description
  tags         = var.tags

  depends_on = [azurerm_key_vault_access_policy.writer]
}
