module once

go 1.26
