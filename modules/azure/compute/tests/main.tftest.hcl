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
  name           = "web"
  instance_count = 2
  subnet_ids     = ["/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/web/providers/Microsoft.Network/virtualNetworks/web/subnets/private-1"]
  ssh_public_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBcOjkTh5IJNEGsHEa3rLzC0KdPzzGkaVjVnYlLHsZ4y ada@example.com"
  location       = "westeurope"
}

run "makes_hosts_for_an_inventory" {
  command = plan

  assert {
    condition     = [for h in output.hosts : h.name] == ["web-1", "web-2"]
    error_message = "hosts are ${jsonencode(output.hosts)}"
  }
  assert {
    condition     = output.hosts[1].resource == "azurerm_linux_virtual_machine.this[1]" && output.hosts[1].user == "azureuser"
    error_message = "host is ${jsonencode(output.hosts[1])}"
  }
  assert {
    condition     = azurerm_linux_virtual_machine.this[0].zone != azurerm_linux_virtual_machine.this[1].zone
    error_message = "both machines are in zone ${azurerm_linux_virtual_machine.this[0].zone}"
  }
  assert {
    condition     = length(output.public_ips) == 0
    error_message = "the machines are public"
  }
}

run "takes_images_and_sizes_of_the_cloud_as_they_are" {
  command = plan

  variables {
    image = "RedHat:RHEL:9-lvm-gen2:latest"
    size  = "Standard_D4s_v5"
  }

  assert {
    condition     = azurerm_linux_virtual_machine.this[0].size == "Standard_D4s_v5" && one(azurerm_linux_virtual_machine.this[0].source_image_reference).sku == "9-lvm-gen2"
    error_message = "machine is ${azurerm_linux_virtual_machine.this[0].size}"
  }
}

run "refuses_machines_that_nobody_can_log_in_to" {
  command = plan

  variables {
    ssh_public_key = null
  }

  expect_failures = [azurerm_linux_virtual_machine.this]
}
