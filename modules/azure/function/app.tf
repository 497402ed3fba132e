resource "azurerm_service_plan" "this" {
  name                = var.name
  resource_group_name = local.group
  location            = local.location
  os_type             = "Linux"
  sku_name            = "Y1"
  tags                = var.tags
}

resource "azurerm_linux_function_app" "this" {
  name                                           = "${var.name}-${local.unique}"
  resource_group_name                            = local.group
  location                                       = local.location
  service_plan_id                                = azurerm_service_plan.this.id
  storage_account_name                           = azurerm_storage_account.this.name
  storage_uses_managed_identity                  = true
  key_vault_reference_identity_id                = azurerm_user_assigned_identity.this.id
  https_only                                     = true
  public_network_access_enabled                  = var.public
  ftp_publish_basic_authentication_enabled       = false
  webdeploy_publish_basic_authentication_enabled = false
  tags                                           = var.tags

  app_settings = merge(var.environment, {
    AzureFunctionsJobHost__functionTimeout = format("00:%02d:%02d", floor(var.timeout_seconds / 60), var.timeout_seconds % 60)
    AzureWebJobsStorage__credential        = "managedidentity"
    AzureWebJobsStorage__clientId          = azurerm_user_assigned_identity.this.client_id

    WEBSITE_RUN_FROM_PACKAGE                     = azurerm_storage_blob.code.url
    WEBSITE_RUN_FROM_PACKAGE_BLOB_MI_RESOURCE_ID = azurerm_user_assigned_identity.this.id
  })

  identity {
    type         = "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.this.id]
  }

  site_config {
    application_insights_connection_string = azurerm_application_insights.this.connection_string
    ftps_state                             = "Disabled"
    minimum_tls_version                    = "1.2"
    scm_minimum_tls_version                = "1.2"

    application_stack {
      python_version = var.runtime == "python3.12" ? "3.12" : null
      node_version   = var.runtime == "nodejs22" ? "22" : null
    }
  }

  depends_on = [azurerm_role_assignment.storage]
}
