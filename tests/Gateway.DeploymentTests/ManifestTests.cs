using System.Globalization;
using System.Net;
using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Gateway.Configuration;
using Gateway.FunctionalTests.Stack;
using Microsoft.Extensions.Configuration;

namespace Gateway.DeploymentTests;

/// <summary>Every file that deploys the gateway, held against what the program really has.</summary>
public sealed partial class ManifestTests
{
    private const string Base = "deploy/kubernetes/base/";
    private const string SecretTemplate = "deploy/kubernetes/secret.template.yaml";

    /// <summary>What is left to do after the last request, at worst: telemetry to a collector that does not answer, leases.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(10);

    /// <summary>Settings of .NET's and OpenTelemetry's, not the gateway's.</summary>
    private static readonly string[] Foreign = ["ASPNETCORE_ENVIRONMENT", "ASPNETCORE_HTTP_PORTS", "SSL_CERT_FILE", "OTEL_EXPORTER_OTLP_ENDPOINT"];

    public static TheoryData<string> Manifests =>
        [.. new[] { "deploy", ".github" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Programs.Root, folder), "*.y*ml", SearchOption.AllDirectories))
            .Concat(Directory.EnumerateFiles(Programs.Root, "docker-compose*.yml"))
            .Select(path => Path.GetRelativePath(Programs.Root, path))
            .Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Manifests))]
    public async Task Every_manifest_parses(string path) => Assert.NotEmpty(await Yaml.ReadAsync(path));

    [Theory]
    [InlineData("deploy/kubernetes/base")]
    [InlineData("deploy/kubernetes/overlays/staging")]
    [InlineData("deploy/kubernetes/overlays/production")]
    public async Task A_kustomization_names_files_that_exist_and_leaves_none_out(string folder)
    {
        var kustomization = await Yaml.ReadOneAsync(folder + "/kustomization.yaml");
        var named = Texts(kustomization["resources"]).Concat((kustomization["patches"]?.AsArray() ?? []).Select(patch => (string)patch!["path"]!)).ToList();
        Assert.All(named, name => Assert.True(Path.Exists(Path.Combine(Programs.Root, folder, name)), name));
        var files = Directory.EnumerateFiles(Path.Combine(Programs.Root, folder)).Select(path => Path.GetFileName(path)).Where(name => name != "kustomization.yaml");
        Assert.Equal(files.Order(StringComparer.Ordinal), named.Where(name => name.EndsWith(".yaml", StringComparison.Ordinal)).Order(StringComparer.Ordinal));

        // A patch changes something that is there.
        foreach (var patch in kustomization["patches"]?.AsArray() ?? [])
        {
            var change = await Yaml.ReadOneAsync($"{folder}/{(string)patch!["path"]!}");
            var target = await Yaml.ReadOneAsync(Base + ((string)change["kind"]!).ToLowerInvariant() + ".yaml");
            Assert.Equal((string?)target["metadata"]!["name"], (string?)change["metadata"]!["name"]);
        }
    }

    [Fact]
    public async Task Every_environment_key_and_secret_file_is_one_that_the_gateway_knows()
    {
        var keys = new List<(string Where, string Key)>();
        foreach (var path in Manifests.Select(row => row.Data).Where(path => path.EndsWith("configmap.yaml", StringComparison.Ordinal)))
        {
            keys.AddRange(Keys((await Yaml.ReadOneAsync(path))["data"]).Select(key => (path, key)));
        }

        keys.AddRange(Keys((await Yaml.ReadOneAsync(SecretTemplate))["stringData"]).Select(key => (SecretTemplate, key)));
        foreach (var path in new[] { "docker-compose.yml", "deploy/docker-compose.production.yml" })
        {
            var gateway = (await Yaml.ReadOneAsync(path))["services"]!["gateway"]!;
            keys.AddRange(Keys(gateway["environment"]).Concat(Texts(gateway["secrets"])).Select(key => (path, key)));
        }

        Assert.True(keys.Count > 30, "The keys were not found.");
        Assert.DoesNotContain(keys, key => !IsKnown(key.Key));
        Assert.False(IsKnown("Billing__BaseAdress"));
        Assert.False(IsKnown("Security__ApiKeys__0__Nmae"));
    }

    [Fact]
    public async Task Secrets_are_files_and_never_in_a_config_map()
    {
        string[] secrets = [.. OptionTypes().SelectMany(type => type.GetProperties()
            .Where(property => property.GetCustomAttribute<SecretAttribute>() is not null)
            .Select(property => $"{Section(type)}__{property.Name}"))];
        Assert.NotEmpty(secrets);

        var files = Keys((await Yaml.ReadOneAsync(SecretTemplate))["stringData"]).ToList();
        Assert.Empty(secrets.Except(files));
        Assert.Empty(Keys((await Yaml.ReadOneAsync(Base + "configmap.yaml"))["data"]).Intersect(secrets));
        var production = (await Yaml.ReadOneAsync("deploy/docker-compose.production.yml"))["services"]!["gateway"]!;
        Assert.Empty(Keys(production["environment"]).Intersect(secrets));

        // All but those that most do without.
        Assert.Equal(["AccessTokens__EncryptionKey", "Proxy__Address", "Proxy__Password"], secrets.Except(Texts(production["secrets"])).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_config_map_and_the_secret_template_make_a_sound_configuration()
    {
        var folder = Directory.CreateTempSubdirectory("gateway-secrets-");
        try
        {
            foreach (var (name, value) in (await Yaml.ReadOneAsync(SecretTemplate))["stringData"]!.AsObject())
            {
                var text = name == "AccessTokens__EncryptionKey" ? Convert.ToBase64String(new byte[32]) : (string)value!;
                await File.WriteAllTextAsync(Path.Combine(folder.FullName, name), text, TestContext.Current.CancellationToken);
            }

            var environment = (await Yaml.ReadOneAsync(Base + "configmap.yaml"))["data"]!.AsObject()
                .Select(pair => KeyValuePair.Create(pair.Key, (string)pair.Value!))
                .Append(KeyValuePair.Create("Hosting__SecretsFolder", folder.FullName));
            var (exitCode, output) = await GatewayProcess.CheckConfigurationAsync(environment);

            Assert.True(exitCode == 0, output);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Ports_are_those_that_the_image_listens_on()
    {
        var dockerfile = await File.ReadAllTextAsync(Path.Combine(Programs.Root, "Dockerfile"), TestContext.Current.CancellationToken);
        var port = Port().Match(dockerfile).Groups["it"].Value;
        var management = ManagementPort().Match(dockerfile).Groups["it"].Value;
        Assert.Contains($"EXPOSE {port} {management}\n", dockerfile, StringComparison.Ordinal);
        var pod = await PodAsync();
        var container = pod["containers"]![0]!;
        Assert.Equal([port, management], container["ports"]!.AsArray().Select(one => one!["containerPort"]!.ToString()));
        Assert.Equal(management, (string?)(await Yaml.ReadOneAsync(Base + "configmap.yaml"))["data"]!["Hosting__ManagementPort"]);
        Assert.Equal(port, (string?)(await Yaml.ReadOneAsync(Base + "configmap.yaml"))["data"]!["ASPNETCORE_HTTP_PORTS"]);
        var name = (string?)container["ports"]![0]!["name"];
        Assert.Equal(name, (string?)(await Yaml.ReadOneAsync(Base + "service.yaml"))["spec"]!["ports"]![0]!["targetPort"]);
        Assert.Single((await Yaml.ReadOneAsync(Base + "service.yaml"))["spec"]!["ports"]!.AsArray());
        Assert.Equal(name, (string?)Assert.Single((await Yaml.ReadOneAsync(Base + "networkpolicy.yaml"))["spec"]!["ingress"]![0]!["ports"]!.AsArray())!["port"]);
        var probed = (string?)container["ports"]![1]!["name"];
        Assert.All(Probes(container), probe => Assert.Equal(probed, (string?)probe["httpGet"]!["port"]));
        var haproxy = await File.ReadAllTextAsync(Path.Combine(Programs.Root, "deploy/loadbalancer/haproxy-dns.cfg"), TestContext.Current.CancellationToken);
        Assert.Contains($"\"${{GATEWAY_NAME}}\":{port} check port {management} ", haproxy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_pod_runs_as_the_image_does()
    {
        var dockerfile = await File.ReadAllTextAsync(Path.Combine(Programs.Root, "Dockerfile"), TestContext.Current.CancellationToken);
        var pod = await PodAsync();
        Assert.EndsWith($"USER {pod["securityContext"]!["runAsUser"]}:{pod["securityContext"]!["runAsGroup"]}", dockerfile[..dockerfile.LastIndexOf("\n# Diagnostics", StringComparison.Ordinal)], StringComparison.Ordinal);
        foreach (var container in pod["initContainers"]!.AsArray().Concat(pod["containers"]!.AsArray()))
        {
            Assert.True((bool)container!["securityContext"]!["readOnlyRootFilesystem"]!);
            Assert.False((bool)container["securityContext"]!["allowPrivilegeEscalation"]!);
        }

        Assert.Equal("/run/secrets", (string?)pod["containers"]![0]!["volumeMounts"]![0]!["mountPath"]);
        Assert.Equal(["--check-config"], Texts(pod["initContainers"]![0]!["args"]));
    }

    [Fact]
    public async Task Everything_selects_the_same_pods()
    {
        var labels = (await Yaml.ReadOneAsync(Base + "deployment.yaml"))["spec"]!["template"]!["metadata"]!["labels"]!.ToJsonString();
        Assert.Equal(labels, (await Yaml.ReadOneAsync(Base + "deployment.yaml"))["spec"]!["selector"]!["matchLabels"]!.ToJsonString());
        Assert.Equal(labels, (await Yaml.ReadOneAsync(Base + "service.yaml"))["spec"]!["selector"]!.ToJsonString());
        Assert.Equal(labels, (await Yaml.ReadOneAsync(Base + "poddisruptionbudget.yaml"))["spec"]!["selector"]!["matchLabels"]!.ToJsonString());
        Assert.Equal(labels, (await Yaml.ReadOneAsync(Base + "networkpolicy.yaml"))["spec"]!["podSelector"]!["matchLabels"]!.ToJsonString());
        Assert.All((await PodAsync())["topologySpreadConstraints"]!.AsArray(), constraint => Assert.Equal(labels, constraint!["labelSelector"]!["matchLabels"]!.ToJsonString()));
        Assert.Equal("gateway", (string?)(await Yaml.ReadOneAsync(Base + "horizontalpodautoscaler.yaml"))["spec"]!["scaleTargetRef"]!["name"]);
    }

    [Fact]
    public async Task Grace_periods_cover_the_drain()
    {
        var settings = (await Yaml.ReadOneAsync(Base + "configmap.yaml"))["data"]!;
        var drain = Duration(settings["Hosting__DrainDelay"]) + Duration(settings["Hosting__DrainTimeout"]);
        var pod = await PodAsync();
        var preStop = TimeSpan.FromSeconds((int)pod["containers"]![0]!["lifecycle"]!["preStop"]!["sleep"]!["seconds"]!);
        Assert.True(TimeSpan.FromSeconds((int)pod["terminationGracePeriodSeconds"]!) >= preStop + drain + Rest);

        // An unready replica is taken out before it stops listening.
        var readiness = pod["containers"]![0]!["readinessProbe"]!;
        Assert.True(TimeSpan.FromSeconds((int)readiness["periodSeconds"]! * (int)readiness["failureThreshold"]!) < Duration(settings["Hosting__DrainDelay"]));
        foreach (var path in new[] { "docker-compose.yml", "deploy/docker-compose.production.yml" })
        {
            var gateway = (await Yaml.ReadOneAsync(path))["services"]!["gateway"]!;
            var grace = TimeSpan.FromSeconds(int.Parse(((string)gateway["stop_grace_period"]!).TrimEnd('s'), CultureInfo.InvariantCulture));
            Assert.True(grace >= TimeSpan.FromSeconds(25) + Rest, path);
        }

        static TimeSpan Duration(JsonNode? value) => TimeSpan.Parse((string)value!, CultureInfo.InvariantCulture);
    }

    [Fact]
    public async Task Probes_ingresses_and_load_balancers_ask_for_what_there_is()
    {
        await using var simulator = await SimulatorProcess.StartAsync();
        await using var gateway = await GatewayProcess.StartAsync(simulator);
        var paths = Probes((await PodAsync())["containers"]![0]!).Select(probe => (string)probe["httpGet"]!["path"]!).ToList();
        Assert.Equal(3, paths.Count);
        paths.Add(HaproxyCheck().Match(await File.ReadAllTextAsync(Path.Combine(Programs.Root, "deploy/loadbalancer/haproxy.cfg"), TestContext.Current.CancellationToken)).Groups["it"].Value);
        paths.Add(NginxCheck().Match(await File.ReadAllTextAsync(Path.Combine(Programs.Root, "deploy/loadbalancer/nginx.conf"), TestContext.Current.CancellationToken)).Groups["it"].Value);
        foreach (var path in paths)
        {
            Assert.Equal(HttpStatusCode.OK, (await gateway.GetAsync(path)).Status);
        }

        foreach (var overlay in new[] { "staging", "production" })
        {
            var ingress = await Yaml.ReadOneAsync($"deploy/kubernetes/overlays/{overlay}/ingress.yaml");
            // Nothing of health or administration.
            var rules = ingress["spec"]!["rules"]![0]!["http"]!["paths"]!.AsArray();
            Assert.Equal(3, rules.Count);
            foreach (var rule in rules)
            {
                // An upstream's own 404, an answer, a 401: anything but "there is no such route".
                var answer = await gateway.GetAsync($"{(string)rule!["path"]!}/x");
                Assert.DoesNotContain("routeNotFound", answer.Body, StringComparison.Ordinal);
                Assert.Equal("gateway", (string?)rule["backend"]!["service"]!["name"]);
                Assert.Equal("http", (string?)rule["backend"]!["service"]!["port"]!["name"]);
            }
        }
    }

    [Fact]
    public async Task Compose_files_use_images_that_the_dockerfile_makes_or_that_are_named_with_a_version()
    {
        var demo = (await Yaml.ReadOneAsync("docker-compose.yml"))["services"]!.AsObject();
        Assert.Equal(["loadbalancer", "gateway", "redis", "simulator"], demo.Select(service => service.Key));
        Assert.Equal(2, (int)demo["gateway"]!["deploy"]!["replicas"]!);
        var dockerfile = await File.ReadAllTextAsync(Path.Combine(Programs.Root, "Dockerfile"), TestContext.Current.CancellationToken);
        Assert.Contains($" AS {(string)demo["simulator"]!["build"]!["target"]!}\n", dockerfile, StringComparison.Ordinal);

        // A build without a target makes the last stage.
        Assert.Equal("gateway", Stage().Matches(dockerfile)[^1].Groups["it"].Value);
        foreach (var path in new[] { "docker-compose.yml", "deploy/docker-compose.production.yml" })
        {
            foreach (var (name, service) in (await Yaml.ReadOneAsync(path))["services"]!.AsObject())
            {
                Assert.True((bool)service!["read_only"]!, name);
                Assert.Equal(["ALL"], Texts(service["cap_drop"]));
                Assert.True(service["build"] is not null || name == "gateway" || ((string)service["image"]!).Contains(':', StringComparison.Ordinal), name);
            }
        }
    }

    [Fact]
    public async Task Workflows_pin_every_action_and_have_no_more_rights_than_they_need()
    {
        string[] workflows = [.. Manifests.Select(row => row.Data).Where(path => path.StartsWith(".github/workflows/", StringComparison.Ordinal))];
        Assert.NotEmpty(workflows);
        foreach (var path in workflows)
        {
            var workflow = await Yaml.ReadOneAsync(path);
            Assert.Equal("""{"contents":"read"}""", workflow["permissions"]!.ToJsonString());
            var text = await File.ReadAllTextAsync(Path.Combine(Programs.Root, path), TestContext.Current.CancellationToken);
            var uses = Uses().Matches(text);
            Assert.NotEmpty(uses);
            Assert.All(uses, use => Assert.Matches("^[0-9a-f]{40} # v[0-9]", use.Groups["it"].Value));
            Assert.DoesNotContain("pull_request_target", text, StringComparison.Ordinal);
            Assert.All(workflow["jobs"]!.AsObject(), job => Assert.NotNull(job.Value!["timeout-minutes"]));
        }
    }

    private static IEnumerable<JsonNode> Probes(JsonNode container) =>
        container.AsObject().Where(pair => pair.Key.EndsWith("Probe", StringComparison.Ordinal)).Select(pair => pair.Value!);

    private static async Task<JsonNode> PodAsync() => (await Yaml.ReadOneAsync(Base + "deployment.yaml"))["spec"]!["template"]!["spec"]!;

    private static IEnumerable<string> Keys(JsonNode? map) => (map?.AsObject() ?? []).Select(pair => pair.Key);

    private static IEnumerable<string> Texts(JsonNode? list) => (list?.AsArray() ?? []).Select(item => (string)item!);

    private static bool IsKnown(string key)
    {
        if (Foreign.Contains(key))
        {
            return true;
        }

        var path = key.Replace("__", ":", StringComparison.Ordinal);
        var section = path.Split(':')[0];

        // Sections of YARP's and Serilog's own.
        if (section is "ReverseProxy" or "Serilog")
        {
            return true;
        }

        var types = OptionTypes().Where(type => Section(type) == section).ToList();
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([KeyValuePair.Create(path, (string?)"x")]).Build();
        return types.Count > 0 && !OptionsSection.UnknownKeys(configuration.GetSection(section), types).Any();
    }

    private static IEnumerable<Type> OptionTypes() => typeof(OptionsSection).Assembly.GetTypes()
        .Where(type => type.Name.EndsWith("Options", StringComparison.Ordinal) && type.GetField("Section") is not null);

    private static string Section(Type type) => (string)type.GetField("Section")!.GetRawConstantValue()!;

    [GeneratedRegex(@"ASPNETCORE_HTTP_PORTS=(?<it>\d+)", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Port();

    [GeneratedRegex(@"Hosting__ManagementPort=(?<it>\d+)", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex ManagementPort();

    [GeneratedRegex(@"http-check send meth GET uri (?<it>\S+)", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex HaproxyCheck();

    [GeneratedRegex(@"health_check uri=(?<it>\S+) ", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex NginxCheck();

    [GeneratedRegex(@"^FROM .* AS (?<it>\S+)$", RegexOptions.Multiline | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Stage();

    [GeneratedRegex(@"uses: \S+@(?<it>.*)$", RegexOptions.Multiline | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Uses();
}
