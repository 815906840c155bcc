module logit-go

go 1.24

require github.com/understudy/understudy/sdk/go v0.1.0

replace github.com/understudy/understudy/sdk/go => ../../../sdk/go
