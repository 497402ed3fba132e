# Virtual machines of one kind, spread over subnets and zones, and the
# inventory that configures them. Disks are encrypted, nobody logs in by
# password and nothing has a public address unless asked for.
# ISO 27001: A.8.5, A.8.9, A.8.20, A.8.24

data "azurerm_location" "here" {
  location = local.location
}

locals {
  # Images by the names they have on every cloud.
  images = {
    "ubuntu-24.04" = "Canonical:ubuntu-24_04-lts:server:latest"
    "debian-12"    = "Debian:debian-12:12-gen2:latest"
  }
  sizes = { small = "Standard_B1ms", medium = "Standard_B2s", large = "Standard_D2s_v5", xlarge = "Standard_D4s_v5" }

  image = lookup(local.images, var.image, var.image)
  named = contains(keys(local.images), var.image)
  user  = coalesce(var.user, "azureuser")
  zones = sort(data.azurerm_location.here.zone_mappings[*].logical_zone)
}

resource "azurerm_public_ip" "this" {
  count = var.public ? var.instance_count : 0

  name                = "${var.name}-${count.index + 1}"
  resource_group_name = local.group
  location            = local.location
  allocation_method   = "Static"
  sku                 = "Standard"
  tags                = var.tags
}

resource "azurerm_network_interface" "this" {
  count = var.instance_count

  name                = "${var.name}-${count.index + 1}"
  resource_group_name = local.group
  location            = local.location
  tags                = var.tags

  ip_configuration {
    name                          = "main"
    subnet_id                     = var.subnet_ids[count.index % length(var.subnet_ids)]
    private_ip_address_allocation = "Dynamic"
    public_ip_address_id          = var.public ? azurerm_public_ip.this[count.index].id : null
  }
}

resource "azurerm_network_interface_security_group_association" "this" {
  count = length(var.security_group_ids) > 0 ? var.instance_count : 0

  network_interface_id      = azurerm_network_interface.this[count.index].id
  network_security_group_id = var.security_group_ids[0]
}

resource "azurerm_linux_virtual_machine" "this" {
  count = var.instance_count

  name                            = "${var.name}-${count.index + 1}"
  resource_group_name             = local.group
  location                        = local.location
  size                            = lookup(local.sizes, var.size, var.size)
  zone                            = length(local.zones) == 0 ? null : local.zones[count.index % length(local.zones)]
  network_interface_ids           = [azurerm_network_interface.this[count.index].id]
  admin_username                  = local.user
  disable_password_authentication = true
  secure_boot_enabled             = local.named
  vtpm_enabled                    = local.named
  source_image_id                 = startswith(local.image, "/") ? local.image : null
  tags                            = var.tags

  dynamic "admin_ssh_key" {
    for_each = var.ssh_public_key[*]

    content {
      username   = local.user
      public_key = admin_ssh_key.value
    }
  }

  dynamic "source_image_reference" {
    for_each = startswith(local.image, "/") ? [] : [split(":", local.image)]

    content {
      publisher = source_image_reference.value[0]
      offer     = source_image_reference.value[1]
      sku       = source_image_reference.value[2]
      version   = source_image_reference.value[3]
    }
  }

  os_disk {
    caching              = "ReadWrite"
    storage_account_type = "StandardSSD_LRS"
    disk_size_gb         = max(30, var.disk_gb)
  }

  # A region that gets another zone must not replace machines.
  lifecycle {
    ignore_changes = [zone]

    precondition {
      condition     = var.ssh_public_key != null
      error_message = "ssh_public_key must be given: Azure makes no machine that nobody can log in to."
    }
  }

  # No machine is up before its security group holds.
  depends_on = [azurerm_network_interface_security_group_association.this]
}
