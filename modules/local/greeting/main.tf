# A message that is kept in the state and nowhere else: the smallest module
# there is, for trying things out without a cloud.

resource "terraform_data" "message" {
  input = "${var.text}, ${var.name}!"
}
