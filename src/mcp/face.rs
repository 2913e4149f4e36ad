//! Connects the tools to the protocol, and runs calls that may take long on threads with a deep stack. Only this file is async.

use super::call::settings;
use super::session::{Allowance, Asker, Sessions};
use super::{prompts, resources, tools};
use kgq_graph::graph::Graph;
use kgq_syntax::budget::Budget;
use kgq_syntax::error::{Error, Result};
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, GetPromptRequestParams, GetPromptResponse, Implementation,
    ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PaginatedRequestParams,
    ReadResourceRequestParams, ReadResourceResponse, ServerCapabilities, ServerConfig,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler, ServiceExt};
use std::sync::Arc;
use tokio::sync::{Semaphore, oneshot};

/// Deep queries recurse deeply. The system commits stack memory only as it is used.
const STACK: usize = 256 << 20;

/// Returns the current graph, and why its files cannot be read, if they cannot.
pub type Current = Arc<dyn Fn() -> (Arc<Graph>, Option<Error>) + Send + Sync>;

/// Returns the budget of a call, given who asks.
pub type CallBudget = Arc<dyn Fn(&Asker) -> Budget + Send + Sync>;

/// The server side of the protocol.
#[derive(Clone)]
pub struct Face {
    current: Current,
    /// Limits how many calls run at once; others wait.
    places: Arc<Semaphore>,
    part: CallBudget,
    sessions: Arc<Sessions>,
    instructions: Option<String>,
}

/// Cancels the work when dropped, because nobody waits for it any more.
struct Leaving(Budget);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl Face {
    pub fn new(current: Current, places: usize, part: CallBudget) -> Self {
        let (graph, _) = current();
        let instructions = settings(&graph).introduction;
        Self { current, places: Arc::new(Semaphore::new(places)), part, sessions: Arc::default(), instructions }
    }

    /// Runs work on a thread. It is cancelled when the client gives up.
    async fn work<T: Send + 'static>(
        &self,
        context: &RequestContext<RoleServer>,
        work: impl FnOnce(&Graph, Option<&Error>, Budget) -> Result<T> + Send + 'static,
    ) -> Result<T, ErrorData> {
        let failed = |message: &str| ErrorData::internal_error(message.to_owned(), None);
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| failed("the server stops"))?;
        let (sender, receiver) = oneshot::channel();
        let leaving = Leaving((self.part)(&asker(context)));
        let (current, budget) = (Arc::clone(&self.current), leaving.0.clone());
        let job = move || {
            let (graph, broken) = current();
            let done = work(&graph, broken.as_ref(), budget);
            drop(place);
            // It does not matter if nobody listens any more.
            drop(sender.send(done));
        };
        let thread = std::thread::Builder::new().name("mcp".into()).stack_size(STACK).spawn(job);
        thread.map_err(|_| failed("the system gives no thread for this call"))?;
        tokio::select! {
            done = receiver => match done {
                Ok(done) => done.map_err(|error| failed(&error.render(false))),
                Err(_) => Err(failed("the call ended without an answer; this is a mistake in kgq itself")),
            },
            () = context.ct.cancelled() => Err(failed("the call was cancelled")),
        }
    }
}

/// The client, if the server identifies it.
fn asker(context: &RequestContext<RoleServer>) -> Asker {
    let parts = context.extensions.get::<axum::http::request::Parts>();
    parts.and_then(|parts| parts.extensions.get::<Asker>()).cloned().unwrap_or_default()
}

impl ServerHandler for Face {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder().enable_tools().enable_resources().enable_prompts().build();
        let own = Implementation::new("kgq", env!("CARGO_PKG_VERSION"))
            .with_title("kgq")
            .with_description("A knowledge graph, with a citation for what it says");
        let mut config = ServerConfig::new(capabilities).with_server_info(own);
        config.instructions = self.instructions.clone();
        config
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let tools = self.work(&context, |graph, _, _| tools::list(graph)).await?;
        Ok(ListToolsResult::with_all_items(tools))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let (name, arguments) = (request.name.into_owned(), request.arguments.unwrap_or_default());
        let wanted = name.clone();
        let asker = asker(&context);
        let sessions = Arc::clone(&self.sessions);
        let called = self.work(&context, move |graph, broken, budget| {
            let allowance = Allowance::of(&settings(graph))?;
            if let Err(error) = sessions.check(&asker.name, &allowance) {
                return Ok(Some(tools::refused(graph, error)));
            }
            let called = tools::call(graph, broken, &wanted, &arguments, budget)?;
            Ok(called.map(|(result, spent)| {
                sessions.add(&asker.name, spent);
                result
            }))
        });
        match called.await? {
            Some(result) => Ok(result.into()),
            None => Err(ErrorData::invalid_params(format!("there is no tool `{name}`"), None)),
        }
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let resources = self.work(&context, |graph, _, _| resources::list(graph)).await?;
        Ok(ListResourcesResult::with_all_items(resources))
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        Ok(ListResourceTemplatesResult::with_all_items(resources::templates()))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let uri = request.uri;
        let wanted = uri.clone();
        match self.work(&context, move |graph, _, _| resources::read(graph, &wanted)).await? {
            Some(result) => Ok(result.into()),
            None => Err(ErrorData::resource_not_found(format!("there is no resource {uri}"), None)),
        }
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        Ok(ListPromptsResult::with_all_items(prompts::list()))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        match prompts::get(&request.name, &request.arguments.unwrap_or_default()) {
            Ok(Some(prompt)) => Ok(prompt.into()),
            Ok(None) => Err(ErrorData::invalid_params(format!("there is no prompt `{}`", request.name), None)),
            Err(error) => Err(ErrorData::invalid_params(error.message().to_owned(), None)),
        }
    }
}

/// Serves one client over the standard streams until it disconnects.
///
/// # Errors
/// The system provides no threads, or the client does not begin with a message of the protocol.
pub fn serve(face: Face) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| Error::io("the threads of the server", &error))?;
    let done = runtime.block_on(async {
        match face.serve(rmcp::transport::stdio()).await {
            Ok(running) => {
                running.waiting().await.map(drop).map_err(|error| Error::bug(format!("the server ended: {error}")))
            }
            // A client that disconnects before its first message is no failure.
            Err(rmcp::service::ServerInitializeError::ConnectionClosed(_)) => Ok(()),
            Err(error) => Err(Error::input(format!("the client does not begin as the protocol does: {error}"))),
        }
    });
    // Reading standard input cannot be interrupted.
    runtime.shutdown_background();
    done
}
