module github.com/understudy/understudy/sdk/go

go 1.24
