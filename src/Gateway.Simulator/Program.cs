var app = WebApplication.Create(args); app.MapGet("/", () => "x"); app.Run();
