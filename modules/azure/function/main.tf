# A function that runs when it is called, as an identity of its own that may
# read its code and nothing else. Its code is in a storage account that is
# closed to the public.
# ISO 27001: A.5.15, A.8.3, A.8.15, A.8.24

data "azurerm_client_config" "current" {}

locals {
  unique  = substr(sha256("${data.azurerm_client_config.current.subscription_id}/${local.group}/${var.name}"), 0, 8)
  account = "${substr(replace(var.name, "-", ""), 0, 16)}${local.unique}"
  code    = filesha256(var.source_zip)
}

resource "azurerm_user_assigned_identity" "this" {
  name                = var.name
  resource_group_name = local.group
  location            = local.location
  tags                = var.tags
}

resource "azurerm_storage_account" "this" {
  name                            = local.account
  resource_group_name             = local.group
  location                        = local.location
  account_tier                    = "Standard"
  account_replication_type        = "LRS"
  https_traffic_only_enabled      = true
  min_tls_version                 = "TLS1_2"
  allow_nested_items_to_be_public = false
  local_user_enabled              = false
  tags                            = var.tags
}

resource "azurerm_storage_container" "code" {
  name                  = "code"
  storage_account_id    = azurerm_storage_account.this.id
  container_access_type = "private"
}

# Named by what is in it, so that other code has another address.
resource "azurerm_storage_blob" "code" {
  name                   = "${local.code}.zip"
  storage_account_name   = azurerm_storage_account.this.name
  storage_container_name = azurerm_storage_container.code.name
  type                   = "Block"
  source                 = var.source_zip
}

# What Functions keeps about triggers and locks is in the account as well.
resource "azurerm_role_assignment" "storage" {
  for_each = toset(["Storage Blob Data Owner", "Storage Queue Data Contributor", "Storage Table Data Contributor"])

  scope                = azurerm_storage_account.this.id
  role_definition_name = each.value
  principal_id         = azurerm_user_assigned_identity.this.principal_id
}

resource "azurerm_log_analytics_workspace" "this" {
  name                = var.name
  resource_group_name = local.group
  location            = local.location
  sku                 = "PerGB2018"
  retention_in_days   = max(30, var.log_days)
  tags                = var.tags
}

resource "azurerm_application_insights" "this" {
  name                = var.name
  resource_group_name = local.group
  location            = local.location
  application_type    = "web"
  workspace_id        = azurerm_log_analytics_workspace.this.id
  tags                = var.tags
}
