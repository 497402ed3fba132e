mock_provider "azurerm" {
  mock_data "azurerm_location" {
    defaults = {
      zone_mappings = [
        { logical_zone = "1", physical_zone = "westeurope-az2" },
        { logical_zone = "2", physical_zone = "westeurope-az1" },
        { logical_zone = "3", physical_zone = "westeurope-az3" },
      ]
    }
  }
}

variables {
  name       = "shop"
  network_id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/web/providers/Microsoft.Network/virtualNetworks/web"
  subnet_ids = ["/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/web/providers/Microsoft.Network/virtualNetworks/web/subnets/private-1"]
  location   = "westeurope"
}

run "keeps_the_api_in_the_network" {
  command = plan

  assert {
    condition     = azurerm_kubernetes_cluster.this.private_cluster_enabled && azurerm_kubernetes_cluster.this.local_account_disabled
    error_message = "the API is public, or has users of its own"
  }
  assert {
    condition     = azurerm_kubernetes_cluster.this.default_node_pool[0].node_count == 2
    error_message = "there are ${azurerm_kubernetes_cluster.this.default_node_pool[0].node_count} nodes"
  }
  assert {
    condition     = output.cluster_name == "shop"
    error_message = "cluster is ${output.cluster_name}"
  }
}

run "grows_and_opens_to_those_named" {
  command = plan

  variables {
    node_count_max        = 5
    public_endpoint_cidrs = ["192.0.2.0/24"]
  }

  assert {
    condition     = azurerm_kubernetes_cluster.this.default_node_pool[0].max_count == 5
    error_message = "the cluster cannot grow"
  }
  assert {
    condition     = one(azurerm_kubernetes_cluster.this.api_server_access_profile).authorized_ip_ranges == toset(["192.0.2.0/24"])
    error_message = "the API is open to others"
  }
}

run "refuses_fewer_nodes_at_most_than_at_least" {
  command = plan

  variables {
    node_count_max = 1
  }

  expect_failures = [azurerm_kubernetes_cluster.this]
}
