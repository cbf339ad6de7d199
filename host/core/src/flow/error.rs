//! Why a flow did not end.

use crate::code::Code;
use crate::sandbox::Flow;

/// The state is what it was before the flow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FlowError {
    /// The plugin does not have this flow. Whoever configures must act.
    #[error("the plugin {plugin} has no flow `{flow}`")]
    Missing {
        /// The plugin's name.
        plugin: String,
        /// What was asked of it.
        flow: Flow,
    },
    /// The plugin wants a request to a URL that the configuration does not name. Whoever wrote it
    /// must act.
    #[error("the plugin wants to fetch from a URL that none of its needs names")]
    FetchUrl,
    /// A URL that was learnt leads outside the domains that the provider lists. Whoever configures
    /// must act: list the domain in `allowed_proxy_domains`, or distrust the answer.
    #[error("a URL that was learnt leads to an origin that the provider does not list")]
    LearntOrigin,
    /// The plugin wants a method other than GET and POST.
    #[error("the plugin wants to fetch by another method than GET or POST")]
    FetchMethod,
    /// The plugin wants a header that only the host writes, or a value that no header can carry.
    #[error("the plugin wants to fetch with the header `{0}`, which is refused")]
    FetchHeader(String),
    /// The fetch is larger than the host sends.
    #[error("the plugin wants to fetch with more than {0} bytes")]
    FetchSize(usize),
    /// The plugin wants to fetch with a client certificate, or a key, that none of its needs names.
    /// Whoever wrote it must act.
    #[error("the plugin wants to fetch with a client certificate that is outside its needs")]
    ClientCertificate,
    /// The flow had its number of steps and was not done.
    #[error("the flow did not end within its steps")]
    TooManySteps,
    /// The fetches of the flow took too long together, or its waits.
    #[error("the flow did not end within its time")]
    TimedOut,
    /// A renewal, a set-up or a revocation cannot ask the user anything.
    #[error("the plugin wants to ask the user, and nobody is there: authorize the account again")]
    PromptOutsideGrant,
    /// The pause is outside 1 to 600 seconds, or has nothing to wait for.
    #[error("the plugin wants to wait for nothing, or for a time outside 1 to 600 seconds")]
    Pause,
    /// The page that the user would be sent to is not one that the configuration names.
    #[error("the plugin wants to send the user to a page that none of its needs names")]
    PromptUrl,
    /// The page's URL holds a secret.
    #[error("the plugin wants to send the user to a page with a secret in its URL")]
    PromptSecret,
    /// The page's URL does not carry the state token.
    #[error("the page that the user would be sent to does not carry the state token")]
    PromptState,
    /// The answer of the user's browser is not the one that this flow waits for. Nothing was done;
    /// the user begins anew.
    #[error("the callback does not belong to this flow: begin anew")]
    Callback,
    /// The plugin was replaced while the flow waited; the user begins anew.
    #[error("the plugin was replaced while the flow waited: begin anew")]
    PluginChanged,
    /// The plugin leaves a state with a name that its needs do not grant. Whoever wrote it must act.
    #[error("the plugin leaves a state that is refused: the name is outside its needs (`{0}`)")]
    StateName(String),
    /// The plugin leaves a state that the host does not keep. Whoever wrote it must act.
    #[error("the plugin leaves a state that is refused: {what} (`{name}`)")]
    State {
        /// What is wrong with it.
        what: &'static str,
        /// The name at fault; empty where it is the state as a whole.
        name: String,
    },
}

impl FlowError {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        self.kind().as_str()
    }

    /// The code, with who must act and how.
    pub fn kind(&self) -> Code {
        match self {
            Self::Missing { .. } => Code::FLOW_MISSING,
            Self::PromptOutsideGrant => Code::REAUTHORIZE,
            Self::TimedOut => Code::FLOW_TIMEOUT,
            Self::Callback | Self::PluginChanged => Code::CALLBACK_REFUSED,
            Self::LearntOrigin => Code::TARGET_REFUSED,
            _ => Code::FLOW_REFUSED,
        }
    }
}
