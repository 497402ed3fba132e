# A Kubernetes cluster whose nodes are in a private subnet, whose users come
# from Entra ID and whose API only the network reaches unless asked for.
# ISO 27001: A.5.15, A.8.5, A.8.20, A.8.22, A.8.24

data "azurerm_client_config" "current" {}

data "azurerm_location" "here" {
  location = local.location
}

locals {
  sizes    = { small = "Standard_B2ms", medium = "Standard_D2s_v5", large = "Standard_D4s_v5", xlarge = "Standard_D8s_v5" }
  most     = coalesce(var.node_count_max, var.node_count)
  grows    = local.most > var.node_count
  private  = length(var.public_endpoint_cidrs) == 0
  identity = var.encryption_identity_id != null ? var.encryption_identity_id : one(azurerm_user_assigned_identity.this[*].id)
}

resource "azurerm_user_assigned_identity" "this" {
  count = var.encryption_identity_id == null ? 1 : 0

  name                = var.name
  resource_group_name = local.group
  location            = local.location
  tags                = var.tags
}

# What load balancers inside the network need.
resource "azurerm_role_assignment" "subnet" {
  count = var.encryption_identity_id == null ? 1 : 0

  scope                = var.subnet_ids[0]
  role_definition_name = "Network Contributor"
  principal_id         = azurerm_user_assigned_identity.this[0].principal_id
}

resource "azurerm_kubernetes_cluster" "this" {
  name                      = var.name
  resource_group_name       = local.group
  location                  = local.location
  dns_prefix                = var.name
  kubernetes_version        = var.kubernetes_version
  automatic_upgrade_channel = "patch"
  node_os_upgrade_channel   = "NodeImage"
  private_cluster_enabled   = local.private
  local_account_disabled    = true
  azure_policy_enabled      = true
  oidc_issuer_enabled       = true
  workload_identity_enabled = true
  sku_tier                  = "Standard"
  tags                      = var.tags

  default_node_pool {
    name                        = "main"
    vm_size                     = lookup(local.sizes, var.node_size, var.node_size)
    vnet_subnet_id              = var.subnet_ids[0]
    zones                       = data.azurerm_location.here.zone_mappings[*].logical_zone
    auto_scaling_enabled        = local.grows
    node_count                  = local.grows ? null : var.node_count
    min_count                   = local.grows ? var.node_count : null
    max_count                   = local.grows ? local.most : null
    temporary_name_for_rotation = "rotation"
    tags                        = var.tags

    upgrade_settings {
      max_surge = "10%"
    }
  }

  identity {
    type         = "UserAssigned"
    identity_ids = [local.identity]
  }

  azure_active_directory_role_based_access_control {
    azure_rbac_enabled = true
    tenant_id          = data.azurerm_client_config.current.tenant_id
  }

  # Blocks for pods and services that the network must not use itself.
  network_profile {
    network_plugin      = "azure"
    network_plugin_mode = "overlay"
    network_data_plane  = "cilium"
    network_policy      = "cilium"
    pod_cidr            = "192.168.0.0/16"
    service_cidr        = "172.20.0.0/16"
    dns_service_ip      = "172.20.0.10"
  }

  dynamic "api_server_access_profile" {
    for_each = local.private ? [] : [var.public_endpoint_cidrs]

    content {
      authorized_ip_ranges = api_server_access_profile.value
    }
  }

  dynamic "key_management_service" {
    for_each = var.encryption_key_id[*]

    content {
      key_vault_key_id = key_management_service.value
    }
  }

  lifecycle {
    precondition {
      condition     = local.most >= var.node_count
      error_message = "node_count_max is ${local.most}, which is below node_count, ${var.node_count}."
    }
    precondition {
      condition     = var.encryption_key_id == null || var.encryption_identity_id != null
      error_message = "encryption_identity_id must be given with encryption_key_id."
    }
  }

  depends_on = [azurerm_role_assignment.subnet]
}
